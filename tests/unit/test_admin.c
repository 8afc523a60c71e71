/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/jsonwriter.h"
#include "daemon/control/admin.h"
#include "tests/support/scratch.h"

/*
 * A server with routes of the test's, and a client in the same loop. What takes seconds, and what
 * clients do to a whole contraced, is tried in tests/e2e/test_admin.py.
 */

#define REPLY_MAX (2u << 20)
#define LONG_REPLY (12u << 20)
#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define POST(path, length)                          \
    "POST " path " HTTP/1.1\r\nHost: localhost\r\n" \
    "Content-Type: application/json\r\nContent-Length: " length "\r\n\r\n"

static char *dir;
static sd_event *event;
static struct admin *admin;
static struct admin_call *waiting[8];
static size_t n_waiting;
static unsigned n_gone;
static uint16_t port;

static int fail_adding; /* to epolls: so many more times, -1: always */

/* The libraries' calls come here, too: ENOSPC is what fs.epoll.max_user_watches gives. */
int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event_of_fd)
{
    if (op == EPOLL_CTL_ADD && fail_adding != 0) {
        fail_adding -= fail_adding > 0;
        errno = ENOSPC;
        return -1;
    }
    return (int)syscall(SYS_epoll_ctl, epfd, op, fd, event_of_fd);
}

static bool no_ipv6; /* sockets of it, but no address */

int bind(int fd, const struct sockaddr *address, socklen_t len)
{
    if (no_ipv6 && address->sa_family == AF_INET6) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    return (int)syscall(SYS_bind, fd, address, len);
}

static void run_ok(void *userdata, struct admin_call *call)
{
    assert_ptr_equal(userdata, &port);
    admin_reply(call, 200, "text/plain", "ok\n", 3);
}

static void run_echo(void *userdata, struct admin_call *call)
{
    const char *q = admin_call_query(call, "q");
    size_t n;
    const char *body = admin_call_body(call, &n);
    struct jsonwriter w;
    struct buf json;

    (void)userdata;
    assert_int_equal(strlen(body), n);
    admin_call_header(call, "Retry-After", "7");
    buf_init(&json, 2u << 20);
    jsonwriter_init(&w, &json, (struct jsonwriter_style){.digits = 17});
    jsonwriter_object(&w, NULL);
    jsonwriter_text(&w, "path", admin_call_path(call));
    jsonwriter_text(&w, "q", q);
    jsonwriter_text(&w, "body", body);
    jsonwriter_end(&w);
    admin_reply_json(call, 201, &json);
}

static void on_gone(void *userdata, struct admin_call *call)
{
    (void)userdata;
    for (size_t i = 0; i < n_waiting; i++) {
        if (waiting[i] == call)
            waiting[i] = waiting[--n_waiting];
    }
    n_gone++;
}

static void run_wait(void *userdata, struct admin_call *call)
{
    (void)userdata;
    assert_true(n_waiting < sizeof(waiting) / sizeof(waiting[0]));
    waiting[n_waiting++] = call;
    admin_call_on_gone(call, on_gone, NULL);
}

static void run_file(void *userdata, struct admin_call *call)
{
    const char *path = scratch_text(dir, "file", "0123456789");

    (void)userdata;
    admin_reply_file(call, "application/octet-stream", "a.trace", open(path, O_RDONLY | O_CLOEXEC),
                     10);
}

static void run_huge(void *userdata, struct admin_call *call)
{
    const char *path = scratch_text(dir, "huge", "");
    int fd = open(path, O_RDWR | O_CLOEXEC);

    (void)userdata;
    assert_int_equal(ftruncate(fd, 64 << 20), 0);
    admin_reply_file(call, "application/octet-stream", NULL, fd, 64 << 20);
}

/* Too long for the kernel's buffers of a connection, and two of them for the server. */
static void run_long(void *userdata, struct admin_call *call)
{
    static char text[LONG_REPLY];

    (void)userdata;
    admin_reply(call, 200, "text/plain", text, sizeof(text));
}

static void run_off(void *userdata, struct admin_call *call)
{
    char off[] = "off";

    (void)userdata;
    assert_int_equal(admin_set(admin, &(struct web_config){.listen_address = off}), 0);
    admin_reply(call, 200, "text/plain", "off\n", 4);
}

static void run_length(void *userdata, struct admin_call *call)
{
    char text[64];
    size_t n;

    (void)userdata;
    (void)admin_call_body(call, &n);
    (void)snprintf(text, sizeof(text), "%zu%s\n", n, admin_call_is_cut(call) ? " and more" : "");
    admin_reply(call, 200, "text/plain", text, strlen(text));
}

/* A streamed body: a 'p' in it makes a pause, an 'x' is refused. */
static struct admin_call *taking;
static size_t n_taken;
static bool pausing;

static int on_take(void *userdata, const void *data, size_t n)
{
    assert_ptr_equal(userdata, &n_taken);
    if (memchr(data, 'x', n)) {
        admin_fail(taking, 415, "an x");
        taking = NULL;
        return -1;
    }
    pausing = memchr(data, 'p', n) && !pausing;
    n_taken += pausing ? 0 : n;
    return !pausing;
}

static void on_whole(void *userdata, struct admin_call *call)
{
    assert_ptr_equal(userdata, &n_taken);
    assert_ptr_equal(call, taking);
    taking = NULL;
    admin_reply(call, 201, "text/plain", "taken\n", 6);
}

static void on_taking_gone(void *userdata, struct admin_call *call)
{
    assert_ptr_equal(userdata, &n_taken);
    assert_ptr_equal(call, taking);
    taking = NULL;
    n_gone++;
}

static void run_take(void *userdata, struct admin_call *call)
{
    static const struct admin_stream stream = {.take = on_take, .whole = on_whole};

    (void)userdata;
    if (admin_call_query(call, "no")) {
        admin_call_header(call, "Retry-After", "9");
        admin_fail(call, 429, "not now");
        return;
    }
    taking = call;
    n_taken = 0;
    pausing = false;
    admin_call_on_gone(call, on_taking_gone, &n_taken);
    admin_call_take(call, &stream, &n_taken);
}

static char refused[200];

static void on_refused(void *userdata, const char *why)
{
    (void)userdata;
    (void)snprintf(refused, sizeof(refused), "%s", why);
}

static const struct admin_route routes[] = {
    {"GET", "/", run_ok, ADMIN_OPEN, NULL},
    {"GET", "/open", run_ok, ADMIN_OPEN, NULL},
    {"GET", "/ok", run_ok, 0, NULL},
    {"POST", "/long/", run_echo, ADMIN_LONG_BODY, NULL},
    {"GET", "/echo/", run_echo, 0, NULL},
    {"POST", "/echo/", run_echo, 0, NULL},
    {"GET", "/echo/file", run_file, 0, NULL},
    {"GET", "/wait", run_wait, 0, NULL},
    {"POST", "/off", run_off, 0, NULL},
    {"GET", "/huge", run_huge, 0, NULL},
    {"GET", "/long", run_long, 0, NULL},
    {"PUT", "/take", run_take, ADMIN_STREAM, NULL},
    {"POST", "/cut", run_length, ADMIN_LONG_BODY | ADMIN_CUT_BODY, on_refused},
};

static int dial(void)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static int dial_unix(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0 && strlen(path) < sizeof(to.sun_path));
    memcpy(to.sun_path, path, strlen(path) + 1);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void turn(void)
{
    assert_true(sd_event_run(event, 20 * USEC_PER_MSEC) >= 0);
}

/* All that comes until the server closes, or until it has `enough` in it. Borrowed. */
static const char *hear(int fd, const char *enough)
{
    static struct buf got;
    char piece[4096];

    buf_done(&got);
    buf_init(&got, REPLY_MAX);
    while (!enough || !strstr(buf_str(&got), enough)) {
        ssize_t n = recv(fd, piece, sizeof(piece), 0);

        if (n == 0 || (n < 0 && errno == ECONNRESET))
            break;
        if (n > 0)
            assert_int_equal(buf_add(&got, piece, (size_t)n), 0);
        else
            turn();
    }
    return buf_str(&got);
}

/* How many bytes come until the server closes. */
static size_t drain(int fd)
{
    static char piece[1 << 16];
    size_t sum = 0;

    for (;;) {
        ssize_t n = recv(fd, piece, sizeof(piece), 0);

        if (n == 0 || (n < 0 && errno == ECONNRESET))
            return sum;
        if (n > 0)
            sum += (size_t)n;
        else
            turn();
    }
}

static void assert_reply(int fd, const char *request, const char *status, const char *end)
{
    const char *reply;

    say(fd, request);
    reply = hear(fd, end);
    if (strncmp(reply, "HTTP/1.", 7) != 0 || strncmp(reply + 9, status, strlen(status)) != 0 ||
        !strstr(reply, end))
        fail_msg("expected %s … %s, got %s", status, end, reply);
}

static void expect(const char *request, const char *status, const char *end)
{
    int fd = dial();

    assert_reply(fd, request, status, end);
    (void)close(fd);
}

static void listen_on(char *address, char *token_file)
{
    const struct web_config web = {.listen_address = address, .bearer_token_file = token_file};

    assert_int_equal(admin_set(admin, &web), 0);
}

/* A port that was free a moment ago. */
static void find_port(void)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    port = ntohs(sa.sin_port);
    (void)close(fd);
}

static char *tcp_address(void)
{
    static char text[32];

    (void)snprintf(text, sizeof(text), "127.0.0.1:%u", port);
    return text;
}

static int setup(void **state)
{
    (void)state;
    n_waiting = 0;
    n_gone = 0;
    dir = scratch_new(SCRATCH_FOR_SOCKETS);
    assert_true(sd_event_new(&event) >= 0);
    assert_int_equal(admin_new(event, routes, sizeof(routes) / sizeof(routes[0]), &port, &admin),
                     0);
    find_port();
    listen_on(tcp_address(), NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    admin_free(admin);
    admin = NULL;
    event = sd_event_unref(event);
    scratch_free(dir);
    return 0;
}

static void test_routes(void **state)
{
    (void)state;
    expect(GET("/"), "200", "ok\n");
    expect(GET("/ok"), "200", "ok\n");
    expect(GET("/ok?x=1"), "200", "ok\n");
    expect(GET("/ok/"), "404", "{\"error\":\"there is nothing at /ok/\"}");
    expect(GET("/nothing"), "404", "/nothing\"}");
    expect(GET("/echo/file"), "200", "\r\n\r\n0123456789");
    expect(GET("/echo/"), "201", "\"path\":\"\"");
    expect(GET("/echo/a%2Fb/c%20d?q=%C3%A4+1&x=2"), "201",
           "{\"path\":\"a/b/c d\",\"q\":\"ä 1\",\"body\":\"\"}");
    expect(GET("/echo/a%00b"), "400", "control characters");
    expect(GET("/echo/a?q=%0A"), "400", "control characters");
    expect(GET("/none%FF"), "404", "nothing at /none\\\\xff");
    expect("DELETE /echo/x HTTP/1.1\r\nHost: localhost\r\n\r\n", "405",
           "it takes GET, HEAD, POST\"}");
}

static void test_headers(void **state)
{
    int fd = dial();
    const char *reply;

    (void)state;
    say(fd, "DELETE /ok HTTP/1.1\r\nHost: localhost\r\n\r\n");
    reply = hear(fd, "\"}");
    assert_non_null(strstr(reply, "\r\nAllow: GET, HEAD\r\n"));
    assert_non_null(strstr(reply, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(reply, "\r\nCache-Control: no-store\r\n"));
    assert_non_null(strstr(reply, "\r\nX-Content-Type-Options: nosniff\r\n"));
    assert_non_null(strstr(reply, "\r\nContent-Security-Policy: default-src 'none'"));
    say(fd, GET("/echo/file"));
    reply = hear(fd, "0123456789");
    assert_non_null(strstr(reply, "\r\nContent-Disposition: attachment; filename=\"a.trace\"\r\n"));
    assert_non_null(strstr(reply, "\r\nContent-Length: 10\r\n"));
    say(fd, GET("/echo/"));
    assert_non_null(strstr(hear(fd, "}"), "\r\nRetry-After: 7\r\n"));
    say(fd, "HEAD /ok HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    reply = hear(fd, NULL);
    assert_non_null(strstr(reply, "\r\nContent-Length: 3\r\n"));
    assert_string_equal(reply + strlen(reply) - 4, "\r\n\r\n");
    (void)close(fd);
}

static void test_bodies(void **state)
{
    char longest[ADMIN_BODY_MAX + 2];
    int fd = dial();

    (void)state;
    assert_reply(fd, POST("/echo/", "4") "1234", "201", "\"body\":\"1234\"}");
    assert_reply(fd, POST("/echo/", "0"), "201", "\"body\":\"\"}");
    assert_reply(fd,
                 "POST /echo/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n2\r\n12\r\n1\r\n3\r\n0\r\n\r\n",
                 "201", "\"body\":\"123\"}");
    memset(longest, 'x', sizeof(longest));
    longest[ADMIN_BODY_MAX] = '\0';
    say(fd, POST("/echo/", "65536"));
    assert_reply(fd, longest, "201", "xxx\"}");
    memset(longest, 'x', ADMIN_BODY_MAX + 1);
    longest[ADMIN_BODY_MAX + 1] = '\0';
    say(fd, POST("/echo/", "65537"));
    assert_reply(fd, longest, "413", "64 KiB\"}");
    say(fd, "POST /echo/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n10001\r\n");
    say(fd, longest);
    assert_reply(fd, "\r\n0\r\n\r\n", "413", "64 KiB\"}");
    assert_reply(fd, POST("/echo/", "99999999"), "413", "64 KiB\"}");
    assert_string_equal(hear(fd, NULL), "");
    (void)close(fd);
}

/* Says a piece of a body, however little of it the socket takes at a time. */
static void pour(int fd, char byte, size_t n)
{
    char piece[4096];

    memset(piece, byte, sizeof(piece));
    while (n > 0) {
        ssize_t sent = send(fd, piece, n < sizeof(piece) ? n : sizeof(piece), MSG_NOSIGNAL);

        if (sent > 0)
            n -= (size_t)sent;
        assert_true(sd_event_run(event, sent > 0 ? 0 : 20 * USEC_PER_MSEC) >= 0);
    }
}

static int begin_long(const char *length)
{
    char head[256];
    int fd = dial();

    (void)snprintf(head, sizeof(head), POST("/long/", "%s"), length);
    say(fd, head);
    return fd;
}

/* Of a body that is too long for memory a route may have the beginning; it learns what it missed. */
static void test_cut_bodies(void **state)
{
    const size_t length = 3 * ADMIN_LONG_BODY_MAX;
    int fd = dial();

    (void)state;
    refused[0] = '\0';
    say(fd, POST("/cut", "3145728"));
    pour(fd, 'y', length);
    (void)hear(fd, "1048576 and more\n");
    (void)close(fd);
    expect(POST("/cut", "2") "{}", "200", "2\n");
    assert_string_equal(refused, "");
    expect(POST("/cut", "99999999"), "413", "longer than 16384 KiB\"}");
    assert_string_equal(refused, "the body is longer than 16384 KiB");
}

/* A route may take more, up to so much, and all at the same time no more than that. */
static void test_long_bodies(void **state)
{
    int fds[4], fd = begin_long("1048576");

    (void)state;
    pour(fd, 'y', ADMIN_LONG_BODY_MAX);
    assert_int_equal(strncmp(hear(fd, "yyy\"}"), "HTTP/1.1 201", 12), 0);
    (void)close(fd);
    expect(POST("/long/", "9999999"), "413", "longer than 1024 KiB\"}");

    for (size_t i = 0; i < 4; i++) {
        fds[i] = begin_long("1048576");
        pour(fds[i], 'z', ADMIN_LONG_BODY_MAX - 1);
    }
    fd = begin_long("100000");
    pour(fd, 'a', 100000);
    assert_int_equal(strncmp(hear(fd, "send it again\"}"), "HTTP/1.1 503", 12), 0);
    (void)close(fd);
    for (size_t i = 0; i < 4; i++)
        (void)close(fds[i]);
    for (int i = 0; i < 10; i++)
        turn();
    fd = begin_long("100000");
    pour(fd, 'b', 100000);
    assert_int_equal(strncmp(hear(fd, "bbb\"}"), "HTTP/1.1 201", 12), 0);
    (void)close(fd);
}

/* What could be read in two ways is answered once, and nothing more is read on its connection. */
#define PUT(path, more) "PUT " path " HTTP/1.1\r\nHost: localhost\r\n" more "\r\n"

static void test_streamed_bodies(void **state)
{
    int fd;

    (void)state;
    expect(PUT("/take", "Content-Length: 5\r\n") "12345", "201", "taken");
    assert_int_equal(n_taken, 5);
    expect(PUT("/take", "Transfer-Encoding: chunked\r\n") "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "201",
           "taken");
    assert_int_equal(n_taken, 5);
    /* Who asks first is told to send it, or why not. */
    fd = dial();
    assert_reply(fd, PUT("/take", "Expect: 100-continue\r\nContent-Length: 5\r\n"), "100",
                 "\r\n\r\n");
    assert_reply(fd, "12345", "201", "taken");
    (void)close(fd);
    expect(PUT("/take?no=1", "Expect: 100-continue\r\nContent-Length: 5\r\n"), "429", "not now");
    /* Others are told while they send it. */
    fd = dial();
    assert_reply(fd, PUT("/take?no=1", "Content-Length: 50000000\r\n"), "429", "not now");
    (void)close(fd);
    fd = dial();
    assert_reply(fd, PUT("/take", "Content-Length: 50000000\r\n") "abcx", "415", "an x");
    say(fd, "more of it");
    (void)close(fd);
}

static void test_streamed_body_pauses(void **state)
{
    int fd = dial();

    (void)state;
    say(fd, PUT("/take", "Content-Length: 6\r\n") "ppp");
    while (!pausing)
        turn();
    for (int i = 0; i < 5; i++)
        turn();
    assert_int_equal(n_taken, 0);
    admin_call_resume(taking);
    say(fd, "abc");
    assert_non_null(strstr(hear(fd, "taken"), "201 Created"));
    assert_int_equal(n_taken, 6);
    (void)close(fd);
}

/* The handler is told, also while it pauses; and when the server stops. */
static void test_streamed_body_breaks_off(void **state)
{
    int fd = dial();

    (void)state;
    say(fd, PUT("/take", "Content-Length: 6\r\n") "abc");
    while (n_taken < 3)
        turn();
    (void)close(fd);
    while (n_gone < 1)
        turn();
    fd = dial();
    say(fd, PUT("/take", "Content-Length: 6\r\n") "ppp");
    while (!pausing)
        turn();
    admin_stop(admin);
    assert_int_equal(n_gone, 2);
    assert_non_null(strstr(hear(fd, "stopping"), "HTTP/1.1 503 "));
    (void)close(fd);
    while (!admin_idle(admin))
        turn();
}

static void test_framing(void **state)
{
#define JSON "Host: localhost\r\nContent-Type: application/json\r\n"
    static const char *const bad[] = {
        JSON "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        JSON "Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
        JSON "Content-Length : 2\r\n\r\n{}",
        JSON "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        JSON "Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        JSON "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        JSON "Host: localhost\r\nContent-Length: 2\r\n\r\n{}",
        JSON "Origin: http://localhost\r\nOrigin: http://evil\r\nContent-Length: 2\r\n\r\n{}",
        JSON "Content-Length: 2, 2\r\n\r\n{}",
        JSON "Content-Length: +2\r\n\r\n{}",
        JSON "Content-Length: 2x\r\n\r\n{}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int fd = dial();
        const char *reply;

        say(fd, "POST /echo/ HTTP/1.1\r\n");
        say(fd, bad[i]);
        (void)send(fd, GET("/ok"), strlen(GET("/ok")), MSG_NOSIGNAL);
        reply = hear(fd, NULL);
        if (strncmp(reply, "HTTP/1.1 400 ", 13) != 0 || strstr(reply, "ok\n"))
            fail_msg("%s\ngives %s", bad[i], reply);
        (void)close(fd);
    }
    expect(GET("/ok"), "200", "ok\n");
}

/* Where the library knows it: before 1.0 it takes one for the end of a line, as RFC 9112 allows. */
static void test_bare_lf(void **state)
{
    int fd;

    (void)state;
    if (MHD_VERSION < 0x01000000)
        return;
    fd = dial();
    say(fd, "GET /ok HTTP/1.1\nHost: localhost\n\n");
    assert_null(strstr(hear(fd, NULL), "ok\n"));
    (void)close(fd);
}

static void test_many_arguments(void **state)
{
    char request[2048] = "GET /ok?a=1";

    (void)state;
    for (size_t i = 0; i < 99; i++)
        strcat(request, "&a=1");
    strcat(request, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(request, "200", "ok\n");
    request[strlen("GET /ok?a=1")] = '\0';
    for (size_t i = 0; i < 249; i++)
        strcat(request, "&a=1");
    strcat(request, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(request, "414", "the query has too many arguments\"}");
    expect(GET("/ok"), "200", "ok\n");
}

static void wait_for(const size_t *n, size_t value)
{
    while (*n != value)
        turn();
}

static void test_later(void **state)
{
    int first = dial(), second = dial();

    (void)state;
    say(first, GET("/wait"));
    wait_for(&n_waiting, 1);
    say(second, GET("/wait") GET("/ok"));
    wait_for(&n_waiting, 2);
    admin_reply(waiting[1], 200, "text/plain", "two", 3);
    assert_non_null(strstr(hear(second, "ok\n"), "two"));
    admin_fail(waiting[0], 429, "%s", "one");
    assert_non_null(strstr(hear(first, "}"), "{\"error\":\"one\"}"));
    assert_reply(first, GET("/ok"), "200", "ok\n");
    assert_int_equal(n_gone, 0);
    (void)close(first);
    (void)close(second);
}

static void test_client_goes(void **state)
{
    int fd = dial();

    (void)state;
    say(fd, GET("/wait"));
    wait_for(&n_waiting, 1);
    (void)close(fd);
    wait_for(&n_waiting, 0);
    assert_int_equal(n_gone, 1);
    expect(GET("/ok"), "200", "ok\n");
    assert_int_equal(n_gone, 1);
}

/* A connection that cannot be watched is closed, its place is free again, and others go on. */
static void test_no_watch_for_a_connection(void **state)
{
    int kept = dial();

    (void)state;
    assert_reply(kept, GET("/ok"), "200", "ok\n");
    for (unsigned i = 0; i < 3 * ADMIN_CONNECTIONS_MAX; i++) {
        int fd = dial();

        fail_adding = -1;
        assert_string_equal(hear(fd, NULL), "");
        fail_adding = 0;
        (void)close(fd);
    }
    assert_reply(kept, GET("/ok"), "200", "ok\n");
    expect(GET("/ok"), "200", "ok\n");
    (void)close(kept);
    assert_true(admin_idle(admin));
}

/* Each of those that a call needs fails once. */
static void test_no_watch_once(void **state)
{
    (void)state;
    for (int i = 1; i < 4; i++) {
        int fds[3];

        for (size_t k = 0; k < 3; k++)
            fds[k] = dial();
        fail_adding = i;
        for (size_t k = 0; k < 3; k++) {
            (void)send(fds[k], GET("/ok"), strlen(GET("/ok")), MSG_NOSIGNAL);
            (void)hear(fds[k], "ok\n");
            (void)close(fds[k]);
        }
        fail_adding = 0;
        expect(GET("/ok"), "200", "ok\n");
    }
}

/* A client that waits for its answer gets it though nobody can be told that it goes. */
static void test_no_watch_for_a_client_that_waits(void **state)
{
    int fd = dial();

    (void)state;
    assert_reply(fd, GET("/ok"), "200", "ok\n");
    fail_adding = -1;
    say(fd, GET("/wait"));
    wait_for(&n_waiting, 1);
    for (unsigned i = 0; i < 3; i++)
        turn();
    fail_adding = 0;
    admin_reply(waiting[0], 200, "text/plain", "late", 4);
    assert_non_null(strstr(hear(fd, "late"), "200"));
    (void)close(fd);
}

static void test_stop(void **state)
{
    int waits = dial(), idle = dial();
    const char *reply;

    (void)state;
    assert_reply(idle, GET("/ok"), "200", "ok\n");
    say(waits, GET("/wait"));
    wait_for(&n_waiting, 1);
    assert_false(admin_idle(admin));
    admin_stop(admin);
    assert_int_equal(n_gone, 1);
    reply = hear(waits, NULL);
    assert_int_equal(strncmp(reply, "HTTP/1.1 503 ", 13), 0);
    assert_non_null(strstr(reply, "{\"error\":\"contraced is stopping\"}"));
    assert_string_equal(hear(idle, NULL), "");
    (void)close(waits);
    (void)close(idle);
    assert_true(admin_idle(admin));
}

/* A client that takes nothing of a reply does not hold up the end for long. */
static void test_stop_while_sending(void **state)
{
    int fd = dial();

    (void)state;
    for (unsigned i = 0; i < 10; i++)
        turn();
    say(fd, GET("/huge"));
    for (unsigned i = 0; i < 10; i++)
        turn();
    admin_stop(admin);
    assert_false(admin_idle(admin));
    while (!admin_idle(admin))
        turn();
    (void)close(fd);
}

static void test_freed_while_waiting(void **state)
{
    int fd = dial();

    (void)state;
    say(fd, GET("/wait"));
    wait_for(&n_waiting, 1);
    admin_free(admin);
    admin = NULL;
    assert_int_equal(n_gone, 1);
    assert_string_equal(hear(fd, NULL), "");
    (void)close(fd);
}

static void test_token(void **state)
{
    char *path = strdup(scratch_text(dir, "token", "s3cret\n"));

    (void)state;
    assert_non_null(path);
    assert_int_equal(chmod(path, 0600), 0);
    listen_on(tcp_address(), path);
    expect(GET("/open"), "200", "ok\n");
    expect(GET("/ok"), "401", "Authorization: Bearer TOKEN\"}");
    expect(GET("/nothing"), "401", "Authorization: Bearer TOKEN\"}");
    expect("GET /ok HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s3cret\r\n\r\n", "200", "ok\n");
    (void)scratch_text(dir, "token", "fresh");
    expect("GET /ok HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer s3cret\r\n\r\n", "401",
           "}");
    expect("GET /ok HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer fresh\r\n\r\n", "200", "ok\n");
    assert_int_equal(chmod(path, SCRATCH_EXPOSED), 0);
    expect("GET /ok HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer fresh\r\n\r\n", "503",
           "cannot be read: contraced's log says why\"}");
    expect(GET("/open"), "200", "ok\n");
    free(path);
}

static void test_unix_socket(void **state)
{
    _cleanup_free_ char *path = strdup(scratch_path(dir, "a.sock")), *both = NULL, *address = NULL;
    struct stat st;
    int fd;

    (void)state;
    assert_true(asprintf(&address, "unix:%s", path) > 0);
    assert_true(asprintf(&both, "%s,unix:%s", tcp_address(), path) > 0);
    listen_on(both, NULL);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    fd = dial_unix(path);
    assert_reply(fd, "GET /ok HTTP/1.1\r\nHost: anything\r\n\r\n", "200", "ok\n");
    expect(GET("/ok"), "200", "ok\n");
    listen_on(address, NULL); /* the connection on what stays, stays */
    assert_reply(fd, GET("/ok"), "200", "ok\n");
    admin_stop(admin);
    assert_int_equal(stat(path, &st), -1);
    assert_string_equal(hear(fd, NULL), "");
    (void)close(fd);
}

/* ":PORT" is both families, or what there is. */
static void test_both_families(void **state)
{
    char *any = NULL, *token = strdup(scratch_text(dir, "token", "s3cret\n"));

    (void)state;
    assert_non_null(token);
    assert_int_equal(chmod(token, 0600), 0);
    for (int i = 0; i < 2; i++) {
        find_port();
        assert_true(asprintf(&any, ":%u", port) > 0);
        no_ipv6 = i == 1;
        listen_on(any, token);
        no_ipv6 = false;
        expect("GET /open HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s3cret\r\n\r\n", "200",
               "ok\n");
        free(any);
    }
    free(token);
}

/* A handler may change where it listens: its own reply goes out, other connections end. */
static void test_set_by_a_handler(void **state)
{
    int fd = dial(), idle = dial();
    const char *reply;

    (void)state;
    assert_reply(idle, GET("/ok"), "200", "ok\n");
    say(fd, POST("/off", "0"));
    reply = hear(fd, NULL);
    assert_non_null(strstr(reply, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(reply, "\r\n\r\noff\n"));
    assert_string_equal(hear(idle, NULL), "");
    (void)close(fd);
    (void)close(idle);
    listen_on(tcp_address(), NULL);
    expect(GET("/ok"), "200", "ok\n");
}

static void test_crowd(void **state)
{
    enum { CROWD = 3 * ADMIN_CONNECTIONS_MAX };
    int fds[CROWD], waits = dial();
    size_t open_ones = 0;
    char byte;

    (void)state;
    say(waits, GET("/wait"));
    wait_for(&n_waiting, 1);
    for (size_t i = 0; i < CROWD; i++) {
        fds[i] = dial();
        say(fds[i], "GET /ok");
        /* A turn serves one source: the connections that are there, or those that wait outside. */
        for (unsigned k = 0; i % 16 == 15 && k < 8; k++)
            turn();
    }
    expect(GET("/ok"), "200", "ok\n");
    for (unsigned i = 0; i < 100; i++)
        turn();
    for (size_t i = 0; i < CROWD; i++) {
        open_ones += recv(fds[i], &byte, 1, 0) < 0 && errno == EAGAIN;
        (void)close(fds[i]);
    }
    /* One place was the waiting call's, one that of the request that was answered. */
    assert_in_range(open_ones, ADMIN_CONNECTIONS_MAX - 2, ADMIN_CONNECTIONS_MAX);
    admin_reply(waiting[0], 200, "text/plain", "late", 4);
    assert_non_null(strstr(hear(waits, "late"), "200"));
    (void)close(waits);
}

static void test_crowd_that_waits(void **state)
{
    int fds[4];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        fds[i] = dial();
        say(fds[i], GET("/wait"));
        wait_for(&n_waiting, i + 1);
    }
    for (size_t i = 0; i < 4; i++)
        (void)close(fds[i]);
    wait_for(&n_waiting, 0);
    assert_int_equal(n_gone, 4);
}

/* Long replies that are not read: the oldest give way to the newest, short ones stay. */
static void test_replies_that_nobody_reads(void **state)
{
    int fds[4], quiet = dial();

    (void)state;
    say(quiet, GET("/wait"));
    wait_for(&n_waiting, 1);
    for (size_t i = 0; i < 4; i++) {
        fds[i] = dial();
        say(fds[i], "GET /long HTTP/1.0\r\n\r\n");
        for (unsigned k = 0; k < 5; k++)
            turn();
    }
    for (size_t i = 0; i < 3; i++)
        assert_true(drain(fds[i]) < LONG_REPLY);
    assert_true(drain(fds[3]) > LONG_REPLY);
    for (size_t i = 0; i < 4; i++)
        (void)close(fds[i]);
    admin_reply(waiting[0], 200, "text/plain", "late", 4);
    assert_non_null(strstr(hear(quiet, "late"), "200"));
    (void)close(quiet);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_routes),
        TEST(test_headers),
        TEST(test_bodies),
        TEST(test_long_bodies),
        TEST(test_cut_bodies),
        TEST(test_streamed_bodies),
        TEST(test_streamed_body_pauses),
        TEST(test_streamed_body_breaks_off),
        TEST(test_framing),
        TEST(test_bare_lf),
        TEST(test_many_arguments),
        TEST(test_later),
        TEST(test_client_goes),
        TEST(test_no_watch_for_a_connection),
        TEST(test_no_watch_once),
        TEST(test_no_watch_for_a_client_that_waits),
        TEST(test_stop),
        TEST(test_token),
        TEST(test_freed_while_waiting),
        TEST(test_unix_socket),
        TEST(test_both_families),
        TEST(test_set_by_a_handler),
        TEST(test_crowd),
        TEST(test_crowd_that_waits),
        TEST(test_stop_while_sending),
        TEST(test_replies_that_nobody_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
