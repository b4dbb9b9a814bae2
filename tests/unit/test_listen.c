/* test_listen - which paths may be taken over, and which never */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "listen.h"
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[64];

/* Writes the path of a name in the test's folder; the last four stay. */
static const char *path_of(const char *name)
{
    static char paths[4][128];
    static size_t next;
    char *path = paths[next++ % ARRAY_SIZE(paths)];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

/* Opens a socket as the test wants it. */
static enum status open_at(const char *path, mode_t mode, const char *group,
                           struct listener *listener, struct errtext *err)
{
    struct listen_settings set = {.path = path, .mode = mode, .group = group};

    return listen_open(&set, NULL, listener, err);
}

/* A bound, listening socket of somebody else. */
static int foreign_socket(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
    CU_ASSERT_EQUAL(bind(fd, (struct sockaddr *)(void *)&name, sizeof(name)),
                    0);
    CU_ASSERT_EQUAL(listen(fd, 5), 0);
    return fd;
}

static void has_its_mode_from_the_first_moment(void)
{
    static const mode_t modes[] = {0600, 0660, 0666, 0770};

    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        struct listener listener = LISTENER_NONE;
        struct errtext err = {0};
        struct stat found;

        CU_ASSERT_EQUAL(open_at(path_of("mode"), modes[i], "", &listener, &err),
                        STATUS_OK);
        CU_ASSERT_EQUAL(lstat(path_of("mode"), &found), 0);
        CU_ASSERT_EQUAL(found.st_mode, S_IFSOCK | modes[i]);
        listen_close(&listener);
        CU_ASSERT_NOT_EQUAL(lstat(path_of("mode"), &found), 0);
    }
}

static void makes_missing_directories(void)
{
    struct listener listener = LISTENER_NONE;
    struct errtext err = {0};
    struct stat found;
    mode_t saved = umask(0077);

    CU_ASSERT_EQUAL(open_at(path_of("a/b/mux"), 0600, "", &listener, &err),
                    STATUS_OK);
    CU_ASSERT_EQUAL(stat(path_of("a/b"), &found), 0);
    CU_ASSERT_EQUAL(found.st_mode, S_IFDIR | 0755);
    CU_ASSERT_EQUAL(umask(saved), 0077);
    listen_close(&listener);
    (void)rmdir(path_of("a/b"));
    (void)rmdir(path_of("a"));
}

static void replaces_only_a_dead_socket(void)
{
    struct listener listener = LISTENER_NONE;
    struct errtext err = {0};
    int fd = foreign_socket(path_of("taken"));

    CU_ASSERT_EQUAL(open_at(path_of("taken"), 0600, "", &listener, &err),
                    STATUS_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "another process listens"));
    (void)close(fd);
    CU_ASSERT_EQUAL(open_at(path_of("taken"), 0600, "", &listener, &err),
                    STATUS_OK);
    listen_close(&listener);

    fd = open(path_of("file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CU_ASSERT_EQUAL(open_at(path_of("file"), 0600, "", &listener, &err),
                    STATUS_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not a socket"));
    CU_ASSERT_EQUAL(access(path_of("file"), F_OK), 0);
    (void)close(fd);

    CU_ASSERT_EQUAL(symlink(path_of("file"), path_of("link")), 0);
    CU_ASSERT_EQUAL(open_at(path_of("link"), 0600, "", &listener, &err),
                    STATUS_INVALID);
    (void)unlink(path_of("link"));
    (void)unlink(path_of("file"));
}

static void leaves_a_successors_file_alone(void)
{
    struct listener listener = LISTENER_NONE;
    struct errtext err = {0};
    int fd;

    CU_ASSERT_EQUAL(open_at(path_of("mux"), 0600, "", &listener, &err),
                    STATUS_OK);
    (void)unlink(path_of("mux"));
    fd = foreign_socket(path_of("mux"));
    listen_close(&listener);
    CU_ASSERT_EQUAL(access(path_of("mux"), F_OK), 0);
    (void)close(fd);
    (void)unlink(path_of("mux"));
}

static void refuses_what_cannot_be_meant(void)
{
    char longest[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
    struct listener listener = LISTENER_NONE;
    struct errtext err = {0};

    CU_ASSERT_EQUAL(open_at("run/mux", 0600, "", &listener, &err),
                    STATUS_INVALID);
    CU_ASSERT_EQUAL(open_at("", 0600, "", &listener, &err), STATUS_INVALID);
    CU_ASSERT_EQUAL(
        open_at(path_of("group"), 0600, "no-such-group", &listener, &err),
        STATUS_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no-such-group"));

    memset(longest, 'x', sizeof(longest));
    memcpy(longest, folder, strlen(folder));
    longest[strlen(folder)] = '/';
    longest[sizeof(longest) - 2] = '\0'; /* the bound: 107 bytes and the end */
    CU_ASSERT_EQUAL(open_at(longest, 0600, "", &listener, &err), STATUS_OK);
    listen_close(&listener);
    longest[sizeof(longest) - 2] = 'x';
    longest[sizeof(longest) - 1] = '\0';
    CU_ASSERT_EQUAL(open_at(longest, 0600, "", &listener, &err),
                    STATUS_INVALID);
}

static void takes_an_inherited_socket_by_its_path(void)
{
    struct listen_settings set = {.mode = 0600, .group = ""};
    struct listen_inherited inherited = {.count = 2};
    struct listener listener = LISTENER_NONE;
    struct errtext err = {0};

    set.path = path_of("systemd");
    inherited.fds[0] = foreign_socket(path_of("other"));
    inherited.fds[1] = foreign_socket(path_of("systemd"));
    CU_ASSERT_EQUAL(listen_open(&set, &inherited, &listener, &err), STATUS_OK);
    CU_ASSERT_TRUE(listener.inherited);
    CU_ASSERT_EQUAL(inherited.fds[1], -1);
    CU_ASSERT_TRUE((fcntl(listener.fd, F_GETFL) & O_NONBLOCK) != 0);
    listen_close(&listener);
    CU_ASSERT_EQUAL(access(path_of("systemd"), F_OK), 0);
    CU_ASSERT_EQUAL(listen_inherited_close(&inherited, &err), 1);
    CU_ASSERT_STRING_EQUAL(err.text, path_of("other"));
    (void)unlink(path_of("other"));
    (void)unlink(path_of("systemd"));
}

static void believes_the_environment_only_when_it_is_meant(void)
{
    struct listen_inherited inherited;
    struct errtext err = {0};
    char pid[32];

    /* Descriptor 3 has to be open, or nothing could be inherited anyway. */
    CU_ASSERT_EQUAL_FATAL(dup2(STDERR_FILENO, 3), 3);
    (void)setenv("LISTEN_FDS", "1", 1);
    (void)setenv("LISTEN_PID", "1", 1);
    listen_inherited_take(&inherited);
    CU_ASSERT_EQUAL(inherited.count, 0);
    CU_ASSERT_PTR_NULL(getenv("LISTEN_FDS"));

    (void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    (void)setenv("LISTEN_PID", pid, 1);
    (void)setenv("LISTEN_FDS", "-3", 1);
    listen_inherited_take(&inherited);
    CU_ASSERT_EQUAL(inherited.count, 0);

    (void)setenv("LISTEN_PID", pid, 1);
    (void)setenv("LISTEN_FDS", "1", 1);
    listen_inherited_take(&inherited);
    CU_ASSERT_EQUAL(inherited.count, 1);
    CU_ASSERT_EQUAL(listen_inherited_close(&inherited, &err), 1);
    CU_ASSERT_STRING_EQUAL(err.text, "not a listening socket");
}

static void listens_at_an_address(void)
{
    struct listen_settings set = {.group = "", .host = "127.0.0.1"};
    struct listen_inherited inherited = {.count = 1};
    struct listener listener = LISTENER_NONE;
    struct listener taken = LISTENER_NONE;
    struct errtext err = {{0}};

    /* Some port of the tests' range is free. */
    for (set.port = 25001; set.port < 25999; set.port++) {
        if (listen_open(&set, NULL, &listener, &err) == STATUS_OK)
            break;
    }
    CU_ASSERT_FATAL(listener.fd >= 0);
    CU_ASSERT_EQUAL(strncmp(listener.path, "127.0.0.1:25", 12), 0);
    CU_ASSERT_EQUAL(listen_open(&set, NULL, &taken, &err), STATUS_TEMPFAIL);
    inherited.fds[0] = dup(listener.fd);
    CU_ASSERT_EQUAL(listen_open(&set, &inherited, &taken, &err), STATUS_OK);
    CU_ASSERT_TRUE(taken.inherited);
    CU_ASSERT_EQUAL(inherited.fds[0], -1);
    listen_close(&taken);
    listen_close(&listener);
    set.host = "localhost.example";
    CU_ASSERT_EQUAL(listen_open(&set, NULL, &taken, &err), STATUS_INVALID);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"has its mode from the first moment",
         has_its_mode_from_the_first_moment},
        {"makes missing directories", makes_missing_directories},
        {"replaces only a dead socket", replaces_only_a_dead_socket},
        {"leaves a successor's file alone", leaves_a_successors_file_alone},
        {"refuses what cannot be meant", refuses_what_cannot_be_meant},
        {"takes an inherited socket by its path",
         takes_an_inherited_socket_by_its_path},
        {"believes the environment only when it is meant",
         believes_the_environment_only_when_it_is_meant},
        {"listens at an address", listens_at_an_address},
        CU_TEST_INFO_NULL,
    };
    int rc;

    (void)snprintf(folder, sizeof(folder), "/tmp/test_listen.XXXXXX");
    if (mkdtemp(folder) == NULL)
        return EXIT_FAILURE;
    rc = run_tests("listen", tests);
    (void)rmdir(folder);
    return rc;
}
