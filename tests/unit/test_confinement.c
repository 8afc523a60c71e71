/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "daemon/confinement.h"
#include "lib/process/landlock.h"
#include "tests/support/scratch.h"

/* What a child that is confined finds out; 0 as an exit status: all as it should be. */
#define HOLDS(condition)                                                              \
    do {                                                                              \
        if (!(condition)) {                                                           \
            (void)fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, \
                          strerror(errno));                                           \
            return 1;                                                                 \
        }                                                                             \
    } while (0)

struct fixture {
    char *top;
    char spool[300], outside[300], listen[300], url[320];
    struct config config;
    bool alone;
    struct confinement *in_force; /* in the child */
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->top = scratch_new(SCRATCH_FOR_SOCKETS);
    (void)snprintf(f->spool, sizeof(f->spool), "%s/spool", f->top);
    (void)snprintf(f->outside, sizeof(f->outside), "%s/outside", f->top);
    (void)snprintf(f->listen, sizeof(f->listen), "unix:%s/run/sock", f->top);
    (void)snprintf(f->url, sizeof(f->url), "file://%s", f->outside);
    assert_int_equal(mkdir(f->outside, 0700), 0);
    f->alone = true;
    f->config.storage.path = f->spool;
    f->config.web.listen_address = f->listen;
    log_set_level(LOG_LEVEL_ERROR);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    scratch_free(f->top);
    free(f);
    return 0;
}

/* Runs a check in a confined process of its own; _exit, so that nothing of it is looked at. */
static void confined(struct fixture *f, int (*check)(const struct fixture *f))
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        int r = confinement_enter(&f->config, f->alone, &f->in_force);

        _exit(r < 0 ? 2 : check(f));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int make_file(const char *directory, const char *name)
{
    char path[512];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    (void)close(fd);
    return 0;
}

static void *in_thread(void *outside)
{
    return make_file(outside, "thread") == -EACCES ? outside : NULL;
}

static int check_files(const struct fixture *f)
{
    char from[512], to[512];
    pthread_t thread;
    void *refused = NULL;
    struct stat st;

    HOLDS(make_file(f->outside, "new") == -EACCES);
    HOLDS(make_file(f->top, "new") == -EACCES);
    HOLDS(rmdir(f->outside) < 0 && errno == EACCES);
    HOLDS((open("/proc/self/comm", O_WRONLY | O_CLOEXEC) < 0) == (geteuid() == 0));
    /* Its own directory was made, and all that the spool does works there. */
    HOLDS(stat(f->spool, &st) == 0 && S_ISDIR(st.st_mode));
    (void)snprintf(from, sizeof(from), "%s/new", f->spool);
    (void)snprintf(to, sizeof(to), "%s/archive", f->spool);
    HOLDS(make_file(f->spool, "new") == 0);
    HOLDS(mkdir(to, 0700) == 0);
    (void)snprintf(to, sizeof(to), "%s/archive/new", f->spool);
    HOLDS(rename(from, to) == 0);
    HOLDS(truncate(to, 5) == 0);
    HOLDS(unlink(to) == 0);
    /* Reading is free, and threads are bound, too. */
    HOLDS(open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0);
    HOLDS(pthread_create(&thread, NULL, in_thread, (void *)(uintptr_t)f->outside) == 0);
    HOLDS(pthread_join(thread, &refused) == 0 && refused);
    return 0;
}

static void test_files(void **state)
{
    if (landlock_version() < 2)
        skip();
    confined(*state, check_files);
}

static int bind_in(const char *directory)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

    (void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%.80s/sock", directory);
    r = bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ? -errno : 0;
    if (r == 0)
        r = unlink(sa.sun_path) < 0 ? -errno : 0;
    (void)close(fd);
    return r;
}

static int check_sockets(const struct fixture *f)
{
    char run[300];

    (void)snprintf(run, sizeof(run), "%s/run", f->top);
    HOLDS(bind_in(run) == 0);
    HOLDS(bind_in(f->outside) == -EACCES);
    HOLDS(make_file(run, "file") == -EACCES);
    return 0;
}

static void test_sockets(void **state)
{
    struct fixture *f = *state;
    char run[300];

    if (landlock_version() < 2)
        skip();
    (void)snprintf(run, sizeof(run), "%s/run", f->top);
    assert_int_equal(mkdir(run, 0700), 0);
    confined(f, check_sockets);
}

/* A socket's directory that comes later: one that is there has to do. */
static int check_missing(const struct fixture *f)
{
    HOLDS(bind_in(f->top) == 0);
    HOLDS(make_file(f->top, "file") == -EACCES);
    return 0;
}

static void test_missing_directory(void **state)
{
    if (landlock_version() < 2)
        skip();
    confined(*state, check_missing);
}

static int check_store(const struct fixture *f)
{
    HOLDS(make_file(f->outside, "object") == 0);
    HOLDS(make_file(f->top, "object") == 0);
    HOLDS(unshare(CLONE_NEWUSER) < 0 && errno == EPERM);
    return 0;
}

static void test_store_is_directory(void **state)
{
    struct fixture *f = *state;

    f->config.upload.url = f->url;
    confined(f, check_store);
}

/* Others' descriptors are how the process behind a port is found. */
static int check_others(const struct fixture *f)
{
    char path[64], link[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/fd/0", (int)getppid());
    HOLDS((readlink(path, link, sizeof(link)) < 0) == f->alone);
    return 0;
}

static void test_others(void **state)
{
    struct fixture *f = *state;

    if (landlock_version() < 2)
        skip();
    confined(f, check_others);
    f->alone = false;
    confined(f, check_others);
}

static int end(void *nothing)
{
    (void)nothing;
    return 0;
}

static int check_calls(const struct fixture *f)
{
    static char stack[16384] __attribute__((aligned(16)));

    (void)f;
    HOLDS(mount("none", "/", "tmpfs", 0, NULL) < 0 && errno == EPERM);
    HOLDS(unshare(CLONE_NEWUSER) < 0 && errno == EPERM);
    HOLDS(syscall(SYS_bpf, 0, NULL, 0) < 0 && errno == EPERM);
    HOLDS(syscall(SYS_keyctl, 0, 0) < 0 && errno == EPERM);
    HOLDS(syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS);
    HOLDS(clone(end, stack + sizeof(stack), CLONE_NEWUSER | SIGCHLD, NULL) < 0 && errno == EPERM);
    return 0;
}

static void test_calls(void **state)
{
    confined(*state, check_calls);
}

/* As the inspector's child is started. */
static int check_child(const struct fixture *f)
{
    int status;
    pid_t pid = vfork();

    (void)f;
    HOLDS(pid >= 0);
    if (pid == 0) {
        (void)execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
        _exit(1);
    }
    HOLDS(waitpid(pid, &status, 0) == pid);
    HOLDS(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    return 0;
}

static void test_child(void **state)
{
    confined(*state, check_child);
}

static void count_warnings(void *userdata, enum log_level level, const struct log_fields *fields,
                           const char *message)
{
    (void)fields;
    if (level == LOG_LEVEL_WARN && strstr(message, "until it is restarted"))
        ++*(int *)userdata;
}

static int check_reload(const struct fixture *f)
{
    struct config fresh = f->config;
    const struct confinement *c = f->in_force;
    char other[400];
    int warnings = 0;

    log_set_sink(count_warnings, &warnings);
    log_set_level(LOG_LEVEL_WARN);
    confinement_check(c, &fresh);
    HOLDS(warnings == 0);
    (void)snprintf(other, sizeof(other), "unix:%s/b.sock, unix:%s/run/sub/c.sock", f->top, f->top);
    fresh.web.listen_address = other;
    confinement_check(c, &fresh);
    HOLDS(warnings == 0); /* both are below the directory that is there */
    fresh.web.listen_address = (char *)(uintptr_t)"unix:/dev/contrace.sock, 127.0.0.1:7465";
    confinement_check(c, &fresh);
    HOLDS(warnings == 1);
    fresh.upload.url = (char *)(uintptr_t)f->url;
    confinement_check(c, &fresh);
    HOLDS(warnings == 3);
    fresh.web.listen_address = (char *)(uintptr_t)"off";
    fresh.upload.url = (char *)(uintptr_t)"s3://traces";
    confinement_check(c, &fresh);
    HOLDS(warnings == 3);
    confinement_free(f->in_force);
    return 0;
}

static void test_reload(void **state)
{
    if (landlock_version() < 2)
        skip();
    confined(*state, check_reload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sockets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_store_is_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_others, setup, teardown),
        cmocka_unit_test_setup_teardown(test_calls, setup, teardown),
        cmocka_unit_test_setup_teardown(test_child, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reload, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
