/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/capture/peer.h"
#include "tests/support/scratch.h"

static void test_pid_file(void **state)
{
    static const struct {
        const char *text;
        uint32_t pid;
    } rows[] = {
        {"1", 1},
        {"4711\n", 4711},
        {"4711 \t\r\n", 4711},
        {"4194304\n", 4194304},
        {"", 0},
        {"\n", 0},
        {"0\n", 0},
        {"-1\n", 0},
        {"+5\n", 0},
        {"4194305\n", 0},
        {"99999999999999999999\n", 0},
        {"0x10\n", 0},
        {"12.0\n", 0},
        {"12a\n", 0},
        {"12 34\n", 0},
        {"12\n34\n", 0},
        {"pid 12\n", 0},
        {"12                                                                          \n", 0},
    };
    char *dir = scratch_new(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t pid = peer_of_pid_file(scratch_text(dir, "pid", rows[i].text));

        if (pid != rows[i].pid)
            fail_msg("\"%s\": %u", rows[i].text, pid);
    }
    assert_int_equal(peer_of_pid_file(scratch_write(dir, "pid", "12\0\0", 4, 0600)), 0);
    assert_int_equal(peer_of_pid_file(scratch_path(dir, "none")), 0);
    assert_int_equal(peer_of_pid_file(dir), 0);
    assert_int_equal(mkfifo(scratch_path(dir, "fifo"), 0600), 0);
    assert_int_equal(peer_of_pid_file(scratch_path(dir, "fifo")), 0);
    scratch_free(dir);
}

static void test_socket(void **state)
{
    int unix_pair[2], tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, unix_pair), 0);
    assert_int_equal(peer_of_socket(unix_pair[0]), getpid());
    assert_int_equal(peer_of_socket(tcp), 0);
    assert_int_equal(peer_of_socket(-1), 0);
    assert_int_equal(peer_of_socket(STDIN_FILENO), 0);
    (void)close(unix_pair[0]);
    (void)close(unix_pair[1]);
    (void)close(tcp);
}

static int listen_on(int family, uint16_t *port)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a = {.any = {.sa_family = (sa_family_t)family}};
    socklen_t len = sizeof(a);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (family == AF_INET)
        a.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        a.v6.sin6_addr = in6addr_loopback;
    if (fd < 0 || bind(fd, &a.any, family == AF_INET ? sizeof(a.v4) : sizeof(a.v6)) < 0 ||
        listen(fd, 1) < 0) {
        (void)close(fd);
        return -1;
    }
    assert_int_equal(getsockname(fd, &a.any, &len), 0);
    *port = ntohs(family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
    return fd;
}

/* A child that owns the listener alone; it ends when the test does. */
static pid_t hand_to_child(int *listener)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    (void)close(*listener);
    *listener = -1;
    return child;
}

static void end_child(pid_t child)
{
    int status;

    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
}

static void test_port(void **state)
{
    size_t before = scratch_descriptors();
    struct peer_hint hint = {0};
    uint16_t port;
    int listener = listen_on(AF_INET, &port);
    pid_t child;

    (void)state;
    assert_true(listener >= 0);
    assert_int_equal(peer_of_port(port, &hint), getpid());
    assert_int_equal(hint.pid, getpid());
    assert_int_equal(hint.fd, listener);
    /* The hint alone is enough, and a wrong one does no harm. */
    assert_int_equal(peer_of_port(port, &hint), getpid());
    hint.fd = 0;
    assert_int_equal(peer_of_port(port, &hint), getpid());
    assert_int_equal(hint.fd, listener);
    hint = (struct peer_hint){.pid = 1, .fd = 0};
    assert_int_equal(peer_of_port(port, &hint), getpid());
    /* The listener changes hands: the old hint does not hold. */
    child = hand_to_child(&listener);
    assert_int_equal(peer_of_port(port, &hint), child);
    assert_int_equal(hint.pid, child);
    end_child(child);
    assert_int_equal(peer_of_port(port, &hint), 0);
    assert_int_equal(scratch_descriptors(), before);
}

static void test_port_v6(void **state)
{
    struct peer_hint hint = {0};
    uint16_t port;
    int listener = listen_on(AF_INET6, &port);

    (void)state;
    if (listener < 0)
        skip(); /* no IPv6 here */
    assert_int_equal(peer_of_port(port, &hint), getpid());
    (void)close(listener);
}

/* A port that is only connected to, or only bound, is not listened on. */
static void test_port_of_a_client(void **state)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    struct peer_hint hint = {0};
    uint16_t port;
    int listener = listen_on(AF_INET, &port);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_true(listener >= 0 && client >= 0);
    a.sin_port = htons(port);
    assert_int_equal(connect(client, (const struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(getsockname(client, (struct sockaddr *)&a, &len), 0);
    assert_int_equal(peer_of_port(ntohs(a.sin_port), &hint), 0);
    assert_int_equal(hint.pid, 0);
    (void)close(client);
    (void)close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pid_file),
        cmocka_unit_test(test_socket),
        cmocka_unit_test(test_port),
        cmocka_unit_test(test_port_v6),
        cmocka_unit_test(test_port_of_a_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
