/* test_control_server - what the control socket takes and answers */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "clock.h"
#include "control_server.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct lab {
    struct log *log;
    struct control_server *control;
    char folder[40];
    char path[64];
};

/* Says what it was asked; fails for a reload, and flushes more than fits. */
static bool obey(void *context, enum control_word word, const char *argument,
                 struct strbuf *text)
{
    CU_ASSERT_PTR_NOT_NULL(context);
    strbuf_appendf(text, "%s(%s)\n", control_row(word)->word, argument);
    while (word == CONTROL_FLUSH && !text->failed)
        strbuf_append(text, "more and more and more and more and more\n");
    return word != CONTROL_RELOAD;
}

static void start(struct lab *lab)
{
    struct control_server_settings set = {
        .group = "", .obey = obey, .context = lab};
    struct errtext err = {{0}};

    (void)snprintf(lab->folder, sizeof(lab->folder), "/tmp/test_cs.XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(lab->folder));
    (void)snprintf(lab->path, sizeof(lab->path), "%s/control", lab->folder);
    CU_ASSERT_EQUAL_FATAL(
        log_open("test", LOG_TO_STDERR, LOG_LEVEL_ERROR, &lab->log, &err),
        STATUS_OK);
    set.path = lab->path;
    set.log = lab->log;
    CU_ASSERT_EQUAL_FATAL(control_server_open(&set, NULL, &lab->control, &err),
                          STATUS_OK);
    CU_ASSERT_EQUAL_FATAL(control_server_start(lab->control, &err), STATUS_OK);
}

static void stop(struct lab *lab)
{
    CU_ASSERT_EQUAL(control_server_stop(lab->control, clock_ms() + 5000, NULL),
                    STATUS_OK);
    control_server_free(&lab->control);
    CU_ASSERT_PTR_NULL(lab->control);
    CU_ASSERT_NOT_EQUAL(access(lab->path, F_OK), 0);
    (void)rmdir(lab->folder);
    log_close(&lab->log);
}

static void answers_what_is_asked(void)
{
    static const struct {
        enum control_word word;
        const char *argument;
        enum status status;
        const char *text;
    } cases[] = {
        {CONTROL_STATUS, "", STATUS_OK, "status()\n"},
        {CONTROL_POLICY_TEST, "sender=a\trecipient=b", STATUS_OK,
         "policy test(sender=a\trecipient=b)\n"},
        {CONTROL_RELOAD, "", STATUS_DENIED, "reload()\n"},
        {CONTROL_FLUSH, "all", STATUS_DENIED, "the answer would be too long"},
        {CONTROL_STATUS, "", STATUS_OK, "status()\n"},
    };
    struct stat file = {0};
    struct lab lab;

    start(&lab);
    CU_ASSERT_EQUAL(stat(lab.path, &file), 0);
    CU_ASSERT_EQUAL(file.st_mode & 0777, 0660);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf text = STRBUF_INIT(CONTROL_REPLY_BYTES_MAX);

        CHECK_CASE(cases[i].text,
                   control_ask(lab.path, cases[i].word, cases[i].argument,
                               clock_ms() + 5000, &text,
                               NULL) == cases[i].status);
        CHECK_CASE(cases[i].text,
                   strcmp(strbuf_text(&text), cases[i].text) == 0);
        strbuf_clear(&text);
    }
    stop(&lab);
}

/* What comes back for bytes that no client of ours would send. */
static void tell(const struct lab *lab, const char *line, char answer[200])
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t len = 0;
    ssize_t got;

    (void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", lab->path);
    CU_ASSERT_EQUAL(connect(fd, (struct sockaddr *)(void *)&name, sizeof(name)),
                    0);
    (void)send(fd, line, strlen(line), MSG_NOSIGNAL);
    while (len < 199 && (got = recv(fd, answer + len, 199 - len, 0)) > 0)
        len += (size_t)got;
    answer[len] = '\0';
    (void)close(fd);
}

static void refuses_what_is_none_of_its_words(void)
{
    char line[CONTROL_REQUEST_BYTES_MAX + 2];
    char answer[200];
    struct lab lab;

    start(&lab);
    tell(&lab, "open sesame\n", answer);
    CU_ASSERT_EQUAL(strncmp(answer, "error ", 6), 0);
    tell(&lab, "status now\n", answer);
    CU_ASSERT_EQUAL(strncmp(answer, "error ", 6), 0);
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    tell(&lab, line, answer);
    CU_ASSERT_STRING_EQUAL(answer, "error 7\ninvalid");
    stop(&lab);
}

static void is_none_without_a_path(void)
{
    struct control_server_settings set = {.path = "", .group = ""};
    struct control_server *control = NULL;
    char path[200] = "";

    CU_ASSERT_EQUAL(control_server_open(&set, NULL, &control, NULL), STATUS_OK);
    CU_ASSERT_PTR_NULL(control);
    CU_ASSERT_EQUAL(control_server_start(control, NULL), STATUS_OK);
    CU_ASSERT_EQUAL(control_server_stop(control, clock_ms(), NULL), STATUS_OK);
    control_server_free(&control);
    /* No socket's name has so many bytes. */
    memset(path, '/', sizeof(path) - 1);
    set.path = path;
    CU_ASSERT_NOT_EQUAL(control_server_open(&set, NULL, &control, NULL),
                        STATUS_OK);
    CU_ASSERT_PTR_NULL(control);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"answers what is asked", answers_what_is_asked},
        {"refuses what is none of its words",
         refuses_what_is_none_of_its_words},
        {"is none without a path", is_none_without_a_path},
        CU_TEST_INFO_NULL,
    };

    return run_tests("control_server", tests);
}
