/* daemons - see daemons.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "daemons.h"

#include "clock.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ASK_MS 5000
#define ANSWER_BYTES_MAX 65536

size_t daemons_list(const struct settings *settings,
                    struct daemon list_r[DAEMONS_MAX])
{
    list_r[0] = (struct daemon){"provost-authd", settings->auth.control_path};
    list_r[1] =
        (struct daemon){"provost-policyd", settings->policy.control_path};
    return 2;
}

/* True if nobody listens at path: no socket, or one that was left behind. */
static bool is_down(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    bool down;
    int fd;

    if (strlen(path) >= sizeof(name.sun_path))
        return false;
    memcpy(name.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    down = connect(fd, (const struct sockaddr *)&name, sizeof(name)) != 0 &&
           (errno == ENOENT || errno == ECONNREFUSED);
    (void)close(fd);
    return down;
}

enum status daemons_ask(const struct daemon *daemon, enum control_word word,
                        const char *argument, int64_t deadline_ms,
                        struct strbuf *text, struct errtext *err)
{
    if (is_down(daemon->control_path)) {
        errtext_set(err, "%s does not run here", daemon->name);
        return STATUS_NOT_FOUND;
    }
    return control_ask(daemon->control_path, word, argument, deadline_ms, text,
                       err);
}

void daemons_flush(const struct tool *tool, const char *user)
{
    struct daemon list[DAEMONS_MAX];
    size_t count = daemons_list(tool->settings, list);

    for (size_t i = 0; i < count; i++) {
        struct strbuf text = STRBUF_INIT(ANSWER_BYTES_MAX);
        struct errtext err = {{0}};
        enum status status = daemons_ask(&list[i], CONTROL_FLUSH, user,
                                         clock_ms() + ASK_MS, &text, &err);

        if (status != STATUS_OK && status != STATUS_NOT_FOUND)
            tool_error("done, but %s was not told (%s): it may remember %s "
                       "until its cache_ttl has passed",
                       list[i].name,
                       err.text[0] != '\0' ? err.text : strbuf_text(&text),
                       user);
        strbuf_clear(&text);
    }
}
