/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/net/http.h"
#include "tests/support/client.h"
#include "tests/support/loopback.h"
#include "tests/support/scratch.h"

#define BIG (16u << 20) /* more than two socket buffers take */

#define OK_HI "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

struct world {
    struct client client;
    char body[256], heads[1024];
    char *big;
    int fd;
};

static ssize_t on_body(void *userdata, const void *data, size_t n)
{
    struct world *w = userdata;

    assert_true(strlen(w->body) + n < sizeof(w->body));
    (void)strncat(w->body, data, n);
    return (ssize_t)n;
}

static void on_header(void *userdata, const char *name, const char *value)
{
    struct world *w = userdata;
    size_t n = strlen(w->heads);

    assert_string_equal(w->body, "");
    (void)snprintf(w->heads + n, sizeof(w->heads) - n, "%s=%s|", name, value);
}

static const struct http_handlers handlers = {
    .body = on_body, .header = on_header, .finished = client_finished};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    client_init(&w->client, NULL);
    w->fd = -1;
    w->client.server = loopback_new(NULL);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    if (w->fd >= 0)
        (void)close(w->fd);
    client_done(&w->client);
    free(w->big);
    free(w);
    return 0;
}

static const char *url_of(struct world *w)
{
    static char url[64];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/key", loopback_port(w->client.server));
    return url;
}

static enum http_error run(struct world *w, const struct http_options *options)
{
    struct http_options o = *options;

    o.url = url_of(w);
    w->body[0] = w->heads[0] = '\0';
    client_start(&w->client, &o, &handlers);
    return client_wait(&w->client);
}

#define PLAY(w, ...) LOOPBACK_PLAY((w)->client.server, __VA_ARGS__)

static struct http_body big_file(struct world *w, size_t n)
{
    w->big = malloc(BIG);
    assert_non_null(w->big);
    for (size_t i = 0; i < BIG; i++)
        w->big[i] = (char)(i * 31 + i / 65536);
    w->fd = open(scratch_write(w->client.dir, "big", w->big, n, 0600), O_RDONLY | O_CLOEXEC);
    assert_true(w->fd >= 0);
    return (struct http_body){.fd = w->fd, .size = n};
}

static void assert_received(struct world *w, const void *data, size_t n)
{
    const char *request = loopback_join(w->client.server);
    char line[64];
    size_t got;
    const void *body = loopback_body(w->client.server, &got);

    (void)snprintf(line, sizeof(line), "\r\nContent-Length: %zu\r\n", n);
    assert_non_null(strstr(request, line));
    assert_null(strcasestr(request, "chunked"));
    assert_int_equal(got, n);
    if (n > 0)
        assert_memory_equal(body, data, n);
}

static void test_methods(void **state)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT", "POST", "DELETE"};
    static const struct http_header headers[] = {{"X-Amz-Date", "20260314"}, {"x-empty", ""}};
    struct world *w = *state;
    char line[64];

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        const char *request;

        PLAY(w,
             SEND(strcmp(methods[i], "HEAD") == 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
                                                  : OK_HI));
        assert_int_equal(
            run(w,
                &(struct http_options){.method = methods[i], .headers = headers, .n_headers = 2}),
            HTTP_OK);
        request = loopback_join(w->client.server);
        (void)snprintf(line, sizeof(line), "%s /key HTTP/1.1\r\n", methods[i]);
        assert_int_equal(strncmp(request, line, strlen(line)), 0);
        assert_non_null(strstr(request, "\r\nX-Amz-Date: 20260314\r\n"));
        assert_non_null(strstr(request, "\r\nx-empty:\r\n"));
        assert_null(strcasestr(request, "expect"));
        assert_int_equal(strstr(request, "\r\nContent-Length: 0\r\n") != NULL,
                         methods[i][0] == 'P');
        assert_string_equal(w->body, i == 1 ? "" : "hi");
        assert_true(w->client.result.sent_all);
    }
}

static void test_bodies(void **state)
{
    struct world *w = *state;
    struct http_body file = big_file(w, BIG), memory = {.data = "a\0b", .size = 3},
                     empty = {.fd = file.fd};

    PLAY(w, BODY, SEND(OK_HI));
    assert_int_equal(run(w, &(struct http_options){.method = "PUT", .body = &file}), HTTP_OK);
    assert_null(strcasestr(loopback_join(w->client.server), "expect"));
    assert_received(w, w->big, BIG);
    PLAY(w, BODY, SEND(OK_HI));
    assert_int_equal(run(w, &(struct http_options){.method = "POST", .body = &memory}), HTTP_OK);
    assert_received(w, "a\0b", 3);
    PLAY(w, SEND(OK_HI));
    assert_int_equal(run(w, &(struct http_options){.method = "PUT", .body = &empty}), HTTP_OK);
    assert_received(w, "", 0);
    assert_true(w->client.result.sent_all);
}

static void test_short_file(void **state)
{
    struct world *w = *state;
    struct http_body file = big_file(w, 1000);

    file.size = 2000;
    PLAY(w, BODY);
    assert_int_equal(run(w, &(struct http_options){.method = "PUT", .body = &file}), HTTP_LOCAL);
    assert_string_equal(w->client.result.text, "the file to send ends at byte 1000 of 2000");
    assert_false(w->client.result.sent_all);
}

static void test_early_answer(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.1 403 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"};
    struct world *w = *state;
    struct http_body file = big_file(w, BIG);

    for (unsigned i = 0; i < 20; i++) {
        /* Who closes at once, with a part of the body unread, resets, and the answer may be lost. */
        PLAY(w, {.what = LOOPBACK_BODY, .n = 1 + i * 40000}, SEND(answers[i % 2]),
             {.what = LOOPBACK_WAIT});
        assert_int_equal(run(w, &(struct http_options){.method = "PUT", .body = &file}), HTTP_OK);
        assert_int_equal(w->client.result.status, 403);
        assert_string_equal(w->body, "hi");
        assert_false(w->client.result.sent_all);
        (void)loopback_join(w->client.server);
    }
}

static void test_reset(void **state)
{
    struct world *w = *state;
    struct http_body file = big_file(w, BIG);

    PLAY(w, BODY, RESET);
    assert_int_equal(run(w, &(struct http_options){.method = "PUT", .body = &file}), HTTP_CLOSED);
    assert_true(w->client.result.sent_all);
    PLAY(w, {.what = LOOPBACK_BODY, .n = 100000}, RESET);
    assert_int_equal(run(w, &(struct http_options){.method = "PUT", .body = &file}), HTTP_CLOSED);
    assert_false(w->client.result.sent_all);
}

static void test_stall(void **state)
{
    struct world *w = *state;
    struct http_body file = big_file(w, BIG);
    struct http_options o = {.method = "PUT", .body = &file, .stall_timeout = 200000};

    PLAY(w, {.what = LOOPBACK_GATE}); /* takes nothing */
    assert_int_equal(run(w, &o), HTTP_TIMEOUT);
    assert_string_equal(w->client.result.text, "no byte came or went for 0.2 s");
    assert_false(w->client.result.sent_all);
    loopback_open_gate(w->client.server);
}

/* Three naps in one upload, together longer than it may stand still. */
static enum http_error upload_with_naps(struct world *w, unsigned msec)
{
    struct http_body file = big_file(w, BIG);
    const struct loopback_step nap = {.what = LOOPBACK_SLEEP, .times = msec};

    PLAY(w, {.what = LOOPBACK_BODY, .n = 4u << 20}, nap, {.what = LOOPBACK_BODY, .n = 8u << 20},
         nap, BODY, SEND("HTTP/1.1 200 OK\r\n"), nap, SEND("Content-Length: 0\r\n\r\n"));
    return run(w, &(struct http_options){.method = "PUT",
                                         .body = &file,
                                         .stall_timeout = msec * 5 / 2 * USEC_PER_MSEC});
}

/* Slow all in all, but never still for so long; where others keep the machine busy, for longer. */
static void test_slow_is_no_stall(void **state)
{
    unsigned msec = 400;

    while (upload_with_naps(*state, msec) != HTTP_OK) {
        assert_true(msec < 20000);
        msec *= 2;
    }
}

static void test_headers(void **state)
{
    struct world *w = *state;

    PLAY(w, SEND("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 301 Moved\r\n"
                 "ETag: \t\"a\" \r\nX-none:\r\nx-AMZ-b: c: d\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "2\r\nhi\r\n0\r\nX-Trailer: no\r\n\r\n"));
    assert_int_equal(run(w, &(struct http_options){0}), HTTP_OK);
    assert_string_equal(w->heads, "ETag=\"a\"|X-none=|x-AMZ-b=c: d|Transfer-Encoding=chunked|");
    assert_int_equal(w->client.result.status, 301);
    assert_string_equal(w->body, "hi");
}

static void test_unfit(void **state)
{
    static const struct http_header bad[] = {{"X", "a\r\nY: b"}, {"X", "a\nb"},
                                             {"X", "\tb"},       {"X", "\x7f"},
                                             {"", "a"},          {"X Y", "a"},
                                             {"X:", "a"},        {"X\r\nY", "a"},
                                             {"host", "a"},      {"Content-Length", "1"},
                                             {"Expect", "a"},    {"Transfer-Encoding", "chunked"},
                                             {"\xc3\xa4", "a"}};
    static const struct http_body body = {.data = "x", .size = 1},
                                  huge = {.data = "x", .size = HTTP_BODY_MAX + 1},
                                  closed = {.fd = -1, .size = 1};
    static const struct http_options options[] = {{.method = "get"},
                                                  {.method = "PUT /x"},
                                                  {.method = "GET", .body = &body},
                                                  {.body = &body},
                                                  {.method = "HEAD", .body = &body},
                                                  {.method = "PUT", .body = &huge},
                                                  {.method = "PUT", .body = &closed}};
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(http_start(w->client.http,
                                    &(struct http_options){.url = "http://127.0.0.1/",
                                                           .headers = &bad[i],
                                                           .n_headers = 1},
                                    &handlers, w, &w->client.request),
                         -EINVAL);
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        struct http_options o = options[i];

        o.url = "http://127.0.0.1/";
        assert_int_equal(http_start(w->client.http, &o, &handlers, w, &w->client.request), -EINVAL);
    }
    assert_null(w->client.request);
}

static void test_expect(void **state)
{
    struct world *w = *state;
    struct http_body body = {.data = "abc", .size = 3};
    struct http_options o = {.method = "PUT", .body = &body, .expect_continue = true};

    PLAY(w, SEND("HTTP/1.1 100 Continue\r\n\r\n"), BODY, SEND(OK_HI));
    assert_int_equal(run(w, &o), HTTP_OK);
    assert_received(w, "abc", 3);
    assert_non_null(strstr(loopback_join(w->client.server), "\r\nExpect: 100-continue\r\n"));
    PLAY(w, BODY, SEND(OK_HI)); /* never asks */
    assert_int_equal(run(w, &o), HTTP_OK);
    assert_received(w, "abc", 3);
    PLAY(w, SEND("HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\nhi"));
    assert_int_equal(run(w, &o), HTTP_OK);
    assert_int_equal(w->client.result.status, 417);
    assert_false(w->client.result.sent_all);
}

/* The server serves both on one connection, or the second one would have no answer. */
static void test_reuse(void **state)
{
    struct world *w = *state;
    struct http_body file = big_file(w, 1u << 20), body = {.data = "abc", .size = 3};
    struct http_options first = {.method = "PUT", .body = &body, .keep = true},
                        second = {.method = "PUT", .body = &file, .keep = true};

    PLAY(w, BODY, SEND(OK_HI), {.what = LOOPBACK_NEXT}, BODY, SEND(OK_HI));
    assert_int_equal(run(w, &first), HTTP_OK);
    assert_int_equal(run(w, &second), HTTP_OK);
    assert_received(w, w->big, 1u << 20);
    /* Closed while idle, and closed after some of the second request had come. */
    PLAY(w, BODY, SEND(OK_HI), {.what = LOOPBACK_ACCEPT}, BODY, SEND(OK_HI));
    assert_int_equal(run(w, &first), HTTP_OK);
    assert_int_equal(run(w, &second), HTTP_OK);
    assert_received(w, w->big, 1u << 20);
    PLAY(w, BODY, SEND(OK_HI), {.what = LOOPBACK_NEXT}, BODY, {.what = LOOPBACK_ACCEPT}, BODY,
         SEND(OK_HI));
    assert_int_equal(run(w, &first), HTTP_OK);
    assert_int_equal(run(w, &second), HTTP_OK);
    assert_received(w, w->big, 1u << 20);
}

static void test_rate(void **state)
{
    struct world *w = *state;
    struct http_body file = big_file(w, 300000);
    usec start = clock_monotonic();

    PLAY(w, BODY, SEND(OK_HI));
    assert_int_equal(
        run(w, &(struct http_options){.method = "PUT", .body = &file, .max_rate = 300000}),
        HTTP_OK);
    assert_received(w, w->big, 300000);
    assert_true(clock_monotonic() - start > 500 * USEC_PER_MSEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_methods, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bodies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_short_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_early_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reset, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stall, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_is_no_stall, setup, teardown),
        cmocka_unit_test_setup_teardown(test_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unfit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expect, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reuse, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rate, setup, teardown),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
