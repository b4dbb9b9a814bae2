/* test_control - requests and replies of the control socket */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "clock.h"
#include "control.h"
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void reads_a_request(void)
{
    static const struct {
        const char *name;
        const char *line;
        enum status status;
        enum control_word word;
        const char *argument;
    } cases[] = {
        {"status", "status\n", STATUS_OK, CONTROL_STATUS, ""},
        {"no newline", "metrics", STATUS_OK, CONTROL_METRICS, ""},
        {"from a terminal", "reload\r\n", STATUS_OK, CONTROL_RELOAD, ""},
        {"all", "flush all\n", STATUS_OK, CONTROL_FLUSH, "all"},
        {"a user with blanks", "flush a b@x\n", STATUS_OK, CONTROL_FLUSH,
         "a b@x"},
        {"two words", "throttle list\n", STATUS_OK, CONTROL_THROTTLE_LIST, ""},
        {"half of them", "throttle\n", STATUS_INVALID, 0, ""},
        {"empty", "", STATUS_INVALID, 0, ""},
        {"newline alone", "\n", STATUS_INVALID, 0, ""},
        {"unknown", "reboot\n", STATUS_INVALID, 0, ""},
        {"longer word", "statuses\n", STATUS_INVALID, 0, ""},
        {"blank first", " status\n", STATUS_INVALID, 0, ""},
        {"unwanted argument", "status now\n", STATUS_INVALID, 0, ""},
        {"missing argument", "flush\n", STATUS_INVALID, 0, ""},
        {"empty argument", "flush \n", STATUS_INVALID, 0, ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char argument[CONTROL_ARGUMENT_BYTES_MAX + 1] = "";
        enum control_word word = 0;
        struct errtext err = {0};

        CHECK_CASE(cases[i].name,
                   control_parse(cases[i].line, strlen(cases[i].line), &word,
                                 argument, &err) == cases[i].status);
        CHECK_CASE(cases[i].name, word == cases[i].word);
        CHECK_CASE(cases[i].name, strcmp(argument, cases[i].argument) == 0);
    }
}

static void bounds_the_argument(void)
{
    char line[CONTROL_REQUEST_BYTES_MAX];
    char argument[CONTROL_ARGUMENT_BYTES_MAX + 1];
    enum control_word word;
    struct errtext err = {0};

    memset(line, 'x', sizeof(line));
    memcpy(line, "flush ", 6);
    CU_ASSERT_EQUAL(control_parse(line, 6 + CONTROL_ARGUMENT_BYTES_MAX, &word,
                                  argument, &err),
                    STATUS_OK);
    CU_ASSERT_EQUAL(strlen(argument), CONTROL_ARGUMENT_BYTES_MAX);
    CU_ASSERT_EQUAL(control_parse(line, 7 + CONTROL_ARGUMENT_BYTES_MAX, &word,
                                  argument, &err),
                    STATUS_INVALID);
    CU_ASSERT_EQUAL(control_parse("flush a\0b\n", 10, &word, argument, &err),
                    STATUS_INVALID);
}

/* A daemon that hears one request and says what the test wants. */
struct daemon {
    char path[80];
    int fd;
    const char *says;
    char heard[256];
    pthread_t thread;
};

static void *daemon_main(void *argument)
{
    struct daemon *daemon = argument;
    int fd = accept(daemon->fd, NULL, NULL);
    size_t heard = 0;
    ssize_t got = 1;

    /* To its end: what is closed before it was read is reset. */
    while (got > 0 && strchr(daemon->heard, '\n') == NULL) {
        got = recv(fd, daemon->heard + heard, sizeof(daemon->heard) - 1 - heard,
                   0);
        heard += got > 0 ? (size_t)got : 0;
    }
    if (got > 0 && daemon->says != NULL)
        (void)send(fd, daemon->says, strlen(daemon->says), MSG_NOSIGNAL);
    if (daemon->says == NULL)
        clock_sleep_ms(300);
    (void)close(fd);
    return NULL;
}

/* Asks such a daemon; text and err are the caller's. */
static enum status ask(const char *says, struct strbuf *text,
                       struct errtext *err)
{
    struct daemon daemon = {.says = says};
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    enum status status;

    (void)snprintf(daemon.path, sizeof(daemon.path), "/tmp/test_control.%ld",
                   (long)getpid());
    memcpy(name.sun_path, daemon.path, strlen(daemon.path) + 1);
    daemon.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(daemon.fd, (struct sockaddr *)(void *)&name, sizeof(name)) != 0 ||
        listen(daemon.fd, 1) != 0 ||
        pthread_create(&daemon.thread, NULL, daemon_main, &daemon) != 0)
        abort();
    status = control_ask(daemon.path, CONTROL_FLUSH, "all", clock_ms() + 100,
                         text, err);
    (void)pthread_join(daemon.thread, NULL);
    CU_ASSERT_STRING_EQUAL(daemon.heard, "flush all\n");
    (void)close(daemon.fd);
    (void)unlink(daemon.path);
    return status;
}

static void tells_answers_from_no_answer(void)
{
    static const struct {
        const char *name;
        const char *says;
        enum status status;
        const char *text;
    } cases[] = {
        {"ok", "ok 5\nhello", STATUS_OK, "hello"},
        {"nothing to say", "ok 0\n", STATUS_OK, ""},
        {"several lines", "ok 4\na\nb\n", STATUS_OK, "a\nb\n"},
        {"error", "error 3\nbad", STATUS_DENIED, "bad"},
        {"cut", "ok 5\nhell", STATUS_TEMPFAIL, ""},
        {"too much", "ok 5\nhello!", STATUS_TEMPFAIL, ""},
        {"no number", "ok \nhello", STATUS_TEMPFAIL, ""},
        {"no newline", "ok 5", STATUS_TEMPFAIL, ""},
        {"another protocol", "220 hello\n", STATUS_TEMPFAIL, ""},
        {"closed", "", STATUS_TEMPFAIL, ""},
        {"silent", NULL, STATUS_TEMPFAIL, ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf text = STRBUF_INIT(4096);
        struct errtext err = {0};

        CHECK_CASE(cases[i].name,
                   ask(cases[i].says, &text, &err) == cases[i].status);
        CHECK_CASE(cases[i].name,
                   strcmp(strbuf_text(&text), cases[i].text) == 0);
        CHECK_CASE(cases[i].name,
                   (err.text[0] == '\0') == (cases[i].status == STATUS_OK));
        strbuf_clear(&text);
    }
}

static void reads_the_reply_that_it_writes(void)
{
    static const bool verdicts[] = {true, false};

    for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
        struct strbuf reply = STRBUF_INIT(4096);
        struct strbuf text = STRBUF_INIT(4096);
        struct errtext err = {0};

        control_append_reply(&reply, verdicts[i], "line 1\nline 2\n");
        CU_ASSERT_EQUAL(ask(strbuf_text(&reply), &text, &err),
                        verdicts[i] ? STATUS_OK : STATUS_DENIED);
        CU_ASSERT_STRING_EQUAL(strbuf_text(&text), "line 1\nline 2\n");
        strbuf_clear(&reply);
        strbuf_clear(&text);
    }
}

static void tells_when_there_is_no_daemon(void)
{
    struct strbuf text = STRBUF_INIT(64);
    struct errtext err = {0};

    CU_ASSERT_EQUAL(control_ask("/nonexistent/control", CONTROL_STATUS, "",
                                clock_ms() + 1000, &text, &err),
                    STATUS_TEMPFAIL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent/control"));
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"reads a request", reads_a_request},
        {"bounds the argument", bounds_the_argument},
        {"tells answers from no answer", tells_answers_from_no_answer},
        {"reads the reply that it writes", reads_the_reply_that_it_writes},
        {"tells when there is no daemon", tells_when_there_is_no_daemon},
        CU_TEST_INFO_NULL,
    };

    return run_tests("control", tests);
}
