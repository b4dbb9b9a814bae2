/* child - see child.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "child.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NO_PROGRAM 127 /* as shells have it */

void child_say(int fd, const char *text)
{
    ssize_t written = write(fd, text, strlen(text));

    (void)written;
}

/* Reads until the child hangs up; false: its time is over. */
static bool listen_to(int fd, int64_t deadline_ms, struct strbuf *said)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char bytes[4096];
    ssize_t got;

    for (;;) {
        int count = poll(&ready, 1, clock_left_ms(deadline_ms));

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        got = read(fd, bytes, sizeof(bytes));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return true;
        strbuf_append_len(said, bytes, (size_t)got);
    }
}

static int wait_for(pid_t pid)
{
    int status = -1;

    while (waitpid(pid, &status, 0) != pid) {
        if (errno != EINTR)
            return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int child_do(child_work *work, const void *arg, int64_t deadline_ms,
             struct strbuf *said)
{
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    /* Or the child would print again what waits to be printed. */
    (void)fflush(NULL);
    pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        _exit(work(arg, ends[1]));
    }
    (void)close(ends[1]);
    if (pid > 0 && !listen_to(ends[0], deadline_ms, said))
        (void)kill(pid, SIGKILL);
    (void)close(ends[0]);
    return pid > 0 ? wait_for(pid) : -1;
}

static int run_program(const void *arg, int fd)
{
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    char *const *argv;

    memcpy(&argv, arg, sizeof(argv));
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
        dup2(fd, STDOUT_FILENO) < 0 || dup2(nothing, STDERR_FILENO) < 0)
        return NO_PROGRAM;
    (void)execvp(argv[0], argv);
    return NO_PROGRAM;
}

int child_run(const char *const *argv, int64_t deadline_ms, struct strbuf *out)
{
    return child_do(run_program, &argv, deadline_ms, out);
}
