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
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/capture/capture.h"
#include "tests/support/loopback.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"
#include "tests/support/traces.h"

#define LONG USEC_PER_HOUR

#define SEND(text) {.what = LOOPBACK_SEND, .data = (text)}
#define BYTES(bytes, count) {.what = LOOPBACK_SEND, .data = (bytes), .n = (count)}
#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
#define CHUNKED OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"

enum { GRANT, REFUSE, LATER };

struct world {
    char *dir;
    size_t descriptors; /* before all */
    sd_event *event;
    struct http *http;
    struct loopback *server;
    struct trace trace;
    struct job_config config;
    int fd; /* where it goes */
    const char *unix_path;
    uint64_t room;
    int answer; /* of grow() */
    int later;  /* what capture_room is told after LATER: 0 or a negative errno */
    uint64_t asked;
    unsigned grows;
    struct capture *capture;
    unsigned connected;
    uint32_t peer;
    bool finished;
    struct capture_result result;
};

static int answer_later(sd_event_source *s, void *userdata)
{
    struct world *w = userdata;

    (void)s;
    if (w->capture)
        capture_room(w->capture, w->later < 0 ? 0 : w->asked, w->later);
    return 0;
}

static void on_connected(void *userdata, uint32_t peer)
{
    struct world *w = userdata;

    assert_false(w->finished);
    w->connected++;
    w->peer = peer;
}

static int on_grow(void *userdata, uint64_t bytes)
{
    struct world *w = userdata;

    assert_true(bytes > w->room); /* else there is nothing to ask */
    w->grows++;
    w->asked = bytes;
    if (w->answer == REFUSE)
        return -ENOSPC;
    if (w->answer == LATER) {
        assert_true(sd_event_add_defer(w->event, NULL, answer_later, w) >= 0);
        return 0;
    }
    w->room = bytes;
    return 1;
}

static void on_finished(void *userdata, const struct capture_result *result)
{
    struct world *w = userdata;

    assert_false(w->finished);
    w->finished = true;
    w->result = *result;
    w->capture = NULL;
}

static const struct capture_handlers handlers = {
    .connected = on_connected, .grow = on_grow, .finished = on_finished};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->dir = scratch_new(SCRATCH_FOR_SOCKETS);
    w->descriptors = scratch_descriptors();
    assert_true(sd_event_new(&w->event) >= 0);
    assert_int_equal(http_new(w->event, "contraced/test", &w->http), 0);
    w->fd = -1;
    w->room = 256 << 20;
    w->config = (struct job_config){
        .name = TEXT("job"),
        .path = TEXT("/debug/pprof/trace"),
        .interval = LONG,
        .window = 2 * USEC_PER_SEC,
        .timeout = LONG,
        .body_size_limit = 64 << 20,
    };
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    assert_null(w->capture);
    http_free(w->http);
    sd_event_unref(w->event);
    loopback_free(w->server);
    traces_done(&w->trace);
    if (w->fd >= 0)
        (void)close(w->fd);
    assert_int_equal(scratch_descriptors(), w->descriptors);
    scratch_free(w->dir);
    free(w);
    return 0;
}

static void open_file(struct world *w)
{
    if (w->fd >= 0)
        (void)close(w->fd);
    w->fd = open(scratch_path(w->dir, "out"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(w->fd >= 0);
}

static int start(struct world *w)
{
    struct target_job *job = target_job_new(&w->config, NULL);
    struct target_config from = {0};
    struct target *t;
    char address[256];
    const char *why;
    int r;

    if (w->unix_path)
        (void)snprintf(address, sizeof(address), "unix:%s", w->unix_path);
    else
        (void)snprintf(address, sizeof(address), "127.0.0.1:%u", loopback_port(w->server));
    from.address = address;
    t = target_new(address);
    assert_true(t && job);
    assert_int_equal(address_parse(address, &from.parsed, &why), 0);
    assert_int_equal(target_fill(t, job, &from, "thishost", false), 0);
    w->finished = false;
    w->grows = w->connected = 0;
    r = capture_start(w->http, t->lanes, target_window(t->job, t->lanes->artifact, t->job->window),
                      w->fd, w->room, &handlers, w, &w->capture, &w->result);
    /* Nothing of the target is needed any more: it may go while its capture is in flight. */
    target_unref(t);
    target_job_unref(job);
    address_done(&from.parsed);
    return r;
}

static void step(struct world *w)
{
    assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
}

static enum outcome finish(struct world *w)
{
    while (!w->finished)
        step(w);
    return w->result.outcome;
}

static void begin(struct world *w, const struct loopback_step *steps, size_t n)
{
    if (w->fd < 0)
        open_file(w);
    if (!w->server)
        w->server = loopback_new(&(struct loopback_options){.unix_path = w->unix_path});
    loopback_play(w->server, steps, n);
    assert_int_equal(start(w), 0);
    assert_false(w->finished);
}

static enum outcome capture(struct world *w, const struct loopback_step *steps, size_t n)
{
    enum outcome outcome;

    begin(w, steps, n);
    outcome = finish(w);
    (void)loopback_join(w->server);
    return outcome;
}

#define STEPS(...)                 \
    (const struct loopback_step[]) \
    {                              \
        __VA_ARGS__                \
    }
#define COUNT(...) (sizeof(STEPS(__VA_ARGS__)) / sizeof(struct loopback_step))
#define CAPTURE(w, ...) capture((w), STEPS(__VA_ARGS__), COUNT(__VA_ARGS__))

/* The result is the first `n` bytes of the trace, in `generations`, and the file has them. */
static void assert_kept(struct world *w, size_t n, unsigned generations)
{
    char sha256[65], *data = malloc(n + 1);
    struct stat st;

    assert_non_null(data);
    traces_sha256(w->trace.data, n, sha256);
    assert_int_equal(w->result.bytes, n);
    assert_int_equal(w->result.facts.count, generations);
    assert_string_equal(w->result.sha256, sha256);
    assert_int_equal(fstat(w->fd, &st), 0);
    assert_int_equal(st.st_size, w->result.received);
    assert_true(w->result.received >= n);
    assert_int_equal(pread(w->fd, data, n, 0), n);
    assert_memory_equal(data, w->trace.data, n);
    free(data);
}

static void assert_truncated(struct world *w, enum outcome outcome, unsigned generations,
                             const char *cut_by)
{
    if (outcome != OUTCOME_TRUNCATED)
        fail_msg("%s: %s", outcome_name(outcome), w->result.text);
    assert_string_equal(w->result.cut_by, cut_by);
    assert_non_null(strstr(w->result.text, cut_by));
    assert_kept(w, w->trace.ends[generations - 1], generations);
}

/* Nothing to keep, a reason for people, and no more of it than fits. */
static void assert_nothing(struct world *w, enum outcome outcome, enum outcome expected,
                           const char *text)
{
    if (outcome != expected || !strstr(w->result.text, text))
        fail_msg("%s: \"%s\", expected %s: \"%s\"", outcome_name(outcome), w->result.text,
                 outcome_name(expected), text);
    assert_int_equal(w->result.bytes, 0);
    assert_int_equal(w->result.facts.count, 0);
    assert_string_equal(w->result.sha256, "");
    assert_true(w->result.text[0] != '\0');
}

static void check_whole(struct world *w, unsigned minor, size_t payload, size_t piece)
{
    size_t n;
    char *body;

    traces_done(&w->trace);
    traces_make(&w->trace, minor, 3, payload);
    body = traces_chunked(w->trace.data, w->trace.n, piece, &n);
    open_file(w);
    assert_int_equal(CAPTURE(w, SEND(CHUNKED), BYTES(body, n)), OUTCOME_OK);
    assert_kept(w, w->trace.n, 3);
    assert_int_equal(w->result.received, w->trace.n);
    assert_int_equal(w->result.facts.go_minor, minor);
    assert_null(w->result.cut_by);
    assert_string_equal(w->result.text, "");
    assert_int_equal(w->connected, 1);
    assert_int_equal(w->peer, 0);
    free(body);
}

static void test_whole(void **state)
{
    struct world *w = *state;

    check_whole(w, 26, 200, 1);
    check_whole(w, 26, 200, 7);
    check_whole(w, 26, 3 << 20, 4096);
    check_whole(w, 25, 100000, 16384);
    check_whole(w, 22, 100000, 16384);
    assert_non_null(strstr(loopback_join(w->server), "GET /debug/pprof/trace?seconds=2 HTTP/1.1"));
    assert_int_equal(w->grows, 0);
}

static void test_whole_by_length(void **state)
{
    struct world *w = *state;
    char head[256];

    traces_make(&w->trace, 25, 2, 5000);
    (void)snprintf(head, sizeof(head), OK_HEAD "Content-Length: %zu\r\n\r\n", w->trace.n);
    assert_int_equal(CAPTURE(w, SEND(head), BYTES(w->trace.data, w->trace.n)), OUTCOME_OK);
    assert_kept(w, w->trace.n, 2);
}

/* Before Go 1.26 a close alone does not tell whether the last generation is all there. */
static void test_ended_by_a_close(void **state)
{
    struct world *w = *state;

    traces_make(&w->trace, 26, 2, 5000);
    assert_int_equal(CAPTURE(w, SEND(OK_HEAD "\r\n"), BYTES(w->trace.data, w->trace.n)),
                     OUTCOME_OK);
    assert_kept(w, w->trace.n, 2);
    traces_done(&w->trace);
    traces_make(&w->trace, 25, 2, 5000);
    open_file(w);
    assert_truncated(w, CAPTURE(w, SEND(OK_HEAD "\r\n"), BYTES(w->trace.data, w->trace.n)), 1,
                     "incomplete");
}

/* Formats without generations are kept as they are, if they are whole. */
static void test_old_format(void **state)
{
    struct world *w = *state;
    char body[] = "go 1.21 trace\0\0\0and some events", head[256], sha256[65];

    (void)snprintf(head, sizeof(head), OK_HEAD "Content-Length: %zu\r\n\r\n", sizeof(body) - 1);
    w->config.window = 1; /* it comes at once */
    assert_int_equal(CAPTURE(w, SEND(head), BYTES(body, sizeof(body) - 1)), OUTCOME_OK);
    assert_int_equal(w->result.bytes, sizeof(body) - 1);
    assert_int_equal(w->result.facts.go_minor, 21);
    traces_sha256(body, sizeof(body) - 1, sha256);
    assert_string_equal(w->result.sha256, sha256);
    open_file(w);
    assert_nothing(w, CAPTURE(w, SEND(head), BYTES(body, sizeof(body) - 2)), OUTCOME_CLOSED,
                   "before one generation was whole");
}

static void test_unix_socket(void **state)
{
    struct world *w = *state;
    char path[256], head[256];

    (void)snprintf(path, sizeof(path), "%s/sock", w->dir);
    w->unix_path = path;
    traces_make(&w->trace, 26, 1, 100);
    (void)snprintf(head, sizeof(head), OK_HEAD "Content-Length: %zu\r\n\r\n", w->trace.n);
    assert_int_equal(CAPTURE(w, SEND(head), BYTES(w->trace.data, w->trace.n)), OUTCOME_OK);
    assert_int_equal(w->peer, getpid());
}

static void test_cut_by_the_peer(void **state)
{
    struct world *w = *state;
    size_t part;

    traces_make(&w->trace, 26, 3, 100000);
    part = w->trace.ends[1] + 50000;
    assert_truncated(
        w, CAPTURE(w, SEND(OK_HEAD "Content-Length: 1000000\r\n\r\n"), BYTES(w->trace.data, part)),
        2, "closed");
    assert_int_equal(w->result.received, part);
    open_file(w);
    assert_truncated(w,
                     CAPTURE(w, SEND(OK_HEAD "Content-Length: 1000000\r\n\r\n"),
                             BYTES(w->trace.data, w->trace.ends[1])),
                     2, "closed");
    open_file(w);
    assert_truncated(w, CAPTURE(w, SEND(CHUNKED "30d40\r\n"), BYTES(w->trace.data, 0x30d40 - 1)), 1,
                     "closed");
    open_file(w);
    w->config.timeout = 200 * USEC_PER_MSEC;
    assert_truncated(
        w, CAPTURE(w, SEND(OK_HEAD "\r\n"), BYTES(w->trace.data, part), {.what = LOOPBACK_WAIT}), 2,
        "timeout");
}

/* The reset is sent when all was read here: else it might take what is on its way with it. */
static void test_reset(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {
        SEND(OK_HEAD "Content-Length: 1000000\r\n\r\n"),
        {.what = LOOPBACK_GATE}, /* its data is set below */
        {.what = LOOPBACK_GATE},
        {.what = LOOPBACK_RESET},
    };
    struct loopback_step all[4];

    traces_make(&w->trace, 26, 2, 1000);
    memcpy(all, steps, sizeof(all));
    all[1] = (struct loopback_step)BYTES(w->trace.data, w->trace.n - 10);
    begin(w, all, 4);
    while (capture_received(w->capture) < w->trace.n - 10)
        step(w);
    loopback_open_gate(w->server);
    assert_truncated(w, finish(w), 1, "closed");
}

/* A chunked body that ends well, of a trace that does not. */
static void test_incomplete_trace(void **state)
{
    struct world *w = *state;
    size_t n;
    char *body;

    traces_make(&w->trace, 26, 2, 1000);
    body = traces_chunked(w->trace.data, w->trace.n - 1, 100, &n);
    assert_truncated(w, CAPTURE(w, SEND(CHUNKED), BYTES(body, n)), 1, "incomplete");
    free(body);
    body = traces_chunked(w->trace.data, w->trace.ends[0] - 1, 100, &n);
    open_file(w);
    assert_nothing(w, CAPTURE(w, SEND(CHUNKED), BYTES(body, n)), OUTCOME_INCOMPLETE,
                   "before one generation was whole");
    free(body);
}

/* Rubbish behind the second generation: what is good is kept, and no more is read. */
static void test_corrupt_trace(void **state)
{
    struct world *w = *state;
    size_t at;

    traces_make(&w->trace, 26, 3, 1000);
    at = w->trace.ends[1];
    w->trace.data[at] = 0xff;
    assert_truncated(w,
                     CAPTURE(w, SEND(OK_HEAD "Content-Length: 1000000\r\n\r\n"),
                             BYTES(w->trace.data, w->trace.n), {.what = LOOPBACK_WAIT}),
                     2, "corrupt");
    assert_int_equal(w->result.received, at);
    w->trace.data[16] = 0xff; /* the first batch's type */
    open_file(w);
    assert_nothing(w,
                   CAPTURE(w, SEND(OK_HEAD "Content-Length: 1000000\r\n\r\n"),
                           BYTES(w->trace.data, w->trace.n), {.what = LOOPBACK_WAIT}),
                   OUTCOME_INCOMPLETE, "before one generation was whole");
    assert_int_equal(w->result.received, 16);
}

/* What the program prints comes in two pieces, of which the first could still be chance. */
static void test_text_in_pieces(void **state)
{
    struct world *w = *state;
    struct loopback_step all[] = {
        SEND(OK_HEAD "Content-Length: 1000000\r\n\r\n"),
        {.what = LOOPBACK_SEND}, /* its data is set below */
        {.what = LOOPBACK_GATE},
        SEND("tening on :8080"),
        {.what = LOOPBACK_WAIT},
    };
    size_t at;

    traces_make(&w->trace, 26, 3, 1000);
    at = w->trace.ends[1];
    memcpy(w->trace.data + at, "lis", 3);
    all[1] = (struct loopback_step)BYTES(w->trace.data, at + 3);
    begin(w, all, 5);
    while (capture_received(w->capture) < at + 3)
        step(w);
    loopback_open_gate(w->server);
    assert_truncated(w, finish(w), 2, "corrupt");
}

static void test_size_limit(void **state)
{
    struct world *w = *state;

    traces_make(&w->trace, 26, 3, 100000);
    w->config.body_size_limit = w->trace.ends[1] + 1000;
    assert_truncated(w,
                     CAPTURE(w, SEND(OK_HEAD "Content-Length: 1000000\r\n\r\n"),
                             BYTES(w->trace.data, w->trace.n), {.what = LOOPBACK_WAIT}),
                     2, "size_limit");
    assert_int_equal(w->result.received, w->config.body_size_limit);
    /* at a generation's very end */
    w->config.body_size_limit = w->trace.ends[1];
    open_file(w);
    assert_truncated(w, CAPTURE(w, SEND(OK_HEAD "\r\n"), BYTES(w->trace.data, w->trace.n)), 2,
                     "size_limit");
    /* just fits */
    w->config.body_size_limit = w->trace.n;
    open_file(w);
    assert_int_equal(CAPTURE(w, SEND(OK_HEAD "\r\n"), BYTES(w->trace.data, w->trace.n)),
                     OUTCOME_OK);
    /* one byte too much, and nothing whole at all */
    w->config.body_size_limit = w->trace.n - 1;
    open_file(w);
    assert_truncated(w, CAPTURE(w, SEND(OK_HEAD "\r\n"), BYTES(w->trace.data, w->trace.n)), 2,
                     "size_limit");
    w->config.body_size_limit = 1000;
    open_file(w);
    assert_nothing(w, CAPTURE(w, SEND(OK_HEAD "\r\n"), BYTES(w->trace.data, w->trace.n)),
                   OUTCOME_INCOMPLETE, "cut by size_limit after 1000 bytes");
}

/* A body without end stops at the limit, however fast it comes. */
static void test_endless_body(void **state)
{
    struct world *w = *state;
    char zeros[65536];

    traces_make(&w->trace, 26, 1, 1000);
    /* A trace goes on with batches: one generation, and its successor without end. */
    memset(zeros, 0, sizeof(zeros));
    w->config.body_size_limit = 4 << 20;
    (void)CAPTURE(w, SEND(OK_HEAD "\r\n"), BYTES("go 1.21 trace\0\0\0", 16),
                  {.what = LOOPBACK_REPEAT, .data = zeros, .n = sizeof(zeros), .times = 1u << 30});
    assert_nothing(w, w->result.outcome, OUTCOME_INCOMPLETE, "size_limit");
    assert_int_equal(w->result.received, 4 << 20);
}

static void test_statuses(void **state)
{
    static const struct {
        const char *response;
        enum outcome outcome;
        const char *text;
    } rows[] = {
        {"HTTP/1.1 500 Internal Server Error\r\nX-Go-Pprof: 1\r\nContent-Length: 57\r\n\r\n"
         "Could not enable tracing: tracing is already enabled, ok\n",
         OUTCOME_BUSY, "already enabled"},
        {"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops", OUTCOME_HTTP_STATUS,
         "HTTP status 500: \"oops\""},
        {"HTTP/1.1 400 Bad Request\r\nX-Go-Pprof: 1\r\nContent-Length: 46\r\n\r\n"
         "profile duration exceeds server's WriteTimeout",
         OUTCOME_WRITE_TIMEOUT, "WriteTimeout"},
        {"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nbad", OUTCOME_HTTP_STATUS, "400"},
        {"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
         OUTCOME_UNAUTHORIZED, "401"},
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", OUTCOME_UNAUTHORIZED, "\"no\""},
        {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
         OUTCOME_REDIRECT, "302"},
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 19\r\n\r\n404 page not found\n",
         OUTCOME_HTTP_STATUS, "\"404 page not found\""},
        {"HTTP/1.1 204 No Content\r\n\r\n", OUTCOME_HTTP_STATUS, "204"},
        {"HTTP/1.1 206 Partial Content\r\nContent-Length: 16\r\n\r\ngo 1.26 trace\1\1\1",
         OUTCOME_HTTP_STATUS, "206"},
        {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 21\r\n\r\n"
         "<html>\n\x1b[31m\"hi\"</b>",
         OUTCOME_NOT_A_TRACE, "\"<html>\\n\\x1b[31m\"hi\"</b>"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", OUTCOME_NOT_A_TRACE, "an empty body"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", OUTCOME_NOT_A_TRACE,
         "an empty body"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ngo 1.26", OUTCOME_NOT_A_TRACE, "go 1.26"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\ngo 1.26", OUTCOME_CLOSED, "7 bytes"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\n", OUTCOME_CLOSED, ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n\x1f\x8b", OUTCOME_PROTOCOL,
         "Transfer-Encoding"},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x01",
         OUTCOME_NOT_A_TRACE, "\\x1f\\x8b\\x08"},
        {"SSH-2.0-OpenSSH_9.2\r\n", OUTCOME_PROTOCOL, ""},
        {"", OUTCOME_CLOSED, ""},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        open_file(w);
        assert_nothing(w, CAPTURE(w, SEND(rows[i].response)), rows[i].outcome, rows[i].text);
    }
}

/* An error page without end is not read to its end; what was read is quoted in part. */
static void test_long_error_page(void **state)
{
    struct world *w = *state;
    char page[4096];

    memset(page, 'e', sizeof(page));
    assert_nothing(
        w,
        CAPTURE(w, SEND("HTTP/1.1 500 Oops\r\n\r\n"),
                {.what = LOOPBACK_REPEAT, .data = page, .n = sizeof(page), .times = 1u << 30}),
        OUTCOME_HTTP_STATUS, "eee\"\xe2\x80\xa6");
    assert_int_equal(w->result.received, 0);
    memset(page, 1, sizeof(page)); /* four bytes each when quoted */
    assert_nothing(w, CAPTURE(w, SEND(OK_HEAD "\r\n"), BYTES(page, sizeof(page))),
                   OUTCOME_NOT_A_TRACE, "\\x01\\x01");
    assert_int_equal(w->result.received, 0);
}

static void test_long_headers(void **state)
{
    struct world *w = *state;
    char *line = malloc(10001);

    assert_non_null(line);
    memset(line, 'x', 10000);
    memcpy(line, "X: ", 3);
    memcpy(line + 9998, "\r\n", 3);
    assert_nothing(w,
                   CAPTURE(w, SEND("HTTP/1.1 200 OK\r\n"),
                           {.what = LOOPBACK_REPEAT, .data = line, .times = 1u << 20}),
                   OUTCOME_PROTOCOL, "64 KiB");
    free(line);
}

static void test_timeouts(void **state)
{
    struct world *w = *state;

    w->config.timeout = 80 * USEC_PER_MSEC;
    assert_nothing(w, CAPTURE(w, {.what = LOOPBACK_WAIT}), OUTCOME_TIMEOUT, "");
    assert_nothing(w, CAPTURE(w, SEND(OK_HEAD), {.what = LOOPBACK_WAIT}), OUTCOME_TIMEOUT, "");
    assert_nothing(w, CAPTURE(w, SEND(OK_HEAD "\r\n"), {.what = LOOPBACK_WAIT}), OUTCOME_TIMEOUT,
                   "");
    assert_nothing(w, CAPTURE(w, SEND(OK_HEAD "\r\ngo 1.26"), {.what = LOOPBACK_WAIT}),
                   OUTCOME_TIMEOUT, "before one generation was whole");
}

static void test_refused(void **state)
{
    struct world *w = *state;
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/none", w->dir);
    w->unix_path = path;
    open_file(w);
    assert_int_equal(start(w), 0);
    assert_nothing(w, finish(w), OUTCOME_CONNECT, "");
}

static void test_credentials(void **state)
{
    struct world *w = *state;
    char path[256];

    (void)snprintf(path, sizeof(path), "%s", scratch_text(w->dir, "token", "s3cret\n"));
    w->config.access.auth.credentials_file = path;
    assert_nothing(w, CAPTURE(w, SEND("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")),
                   OUTCOME_UNAUTHORIZED, "401");
    assert_non_null(strstr(loopback_join(w->server), "\r\nAuthorization: Bearer s3cret\r\n"));
    (void)scratch_text(w->dir, "token", "n3xt\n"); /* counts at once */
    (void)CAPTURE(w, SEND("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"));
    assert_non_null(strstr(loopback_join(w->server), "\r\nAuthorization: Bearer n3xt\r\n"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(start(w), -ENOENT);
    assert_null(w->capture);
    assert_nothing(w, w->result.outcome, OUTCOME_CREDENTIALS, path);
    assert_false(w->finished);
    /* The token was written where its file is named. */
    (void)snprintf(path, sizeof(path), "%s/tok/EN1", w->dir);
    assert_int_equal(start(w), -ENOENT);
    assert_nothing(w, w->result.outcome, OUTCOME_CREDENTIALS, "is it the secret itself?");
    assert_null(strstr(w->result.text, "tok"));
    assert_null(strstr(w->result.text, "EN1"));
}

/* A flight recording is asked for as the job says, and nothing else is. */
static void test_flight(void **state)
{
    struct label headers[] = {{TEXT("X-Reason"), TEXT("contrace")}, {TEXT("Accept"), TEXT("*/*")}};
    struct world *w = *state;
    char head[256];
    const char *request;

    w->config.artifacts = 1u << KIND_FLIGHT;
    w->config.flight =
        (struct flight_config){TEXT("/dump"), .post = true, .headers = headers, .n_headers = 2};
    traces_make(&w->trace, 26, 1, 100);
    (void)snprintf(head, sizeof(head), OK_HEAD "Content-Length: %zu\r\n\r\n", w->trace.n);
    assert_int_equal(CAPTURE(w, SEND(head), BYTES(w->trace.data, w->trace.n)), OUTCOME_OK);
    request = loopback_join(w->server);
    assert_int_equal(strncmp(request, "POST /dump HTTP/1.1\r\n", 21), 0);
    assert_non_null(strstr(request, "\r\nX-Reason: contrace\r\n"));
    assert_non_null(strstr(request, "\r\nAccept: */*\r\n"));
    assert_non_null(strstr(request, "\r\nContent-Length: 0\r\n"));
    w->config.artifacts = 1u << KIND_TRACE;
    assert_int_equal(CAPTURE(w, SEND(head), BYTES(w->trace.data, w->trace.n)), OUTCOME_OK);
    request = loopback_join(w->server);
    assert_int_equal(strncmp(request, "GET /debug/pprof/trace?seconds=2 ", 33), 0);
    assert_null(strstr(request, "X-Reason"));
}

/* What a target says of a request may be what it was sent, however short that is. */
static void test_echoes(void **state)
{
    struct world *w = *state;
    char path[256];

    (void)snprintf(path, sizeof(path), "%s", scratch_text(w->dir, "token", "tok-en\n"));
    w->config.access.auth.credentials_file = path;
    assert_nothing(w,
                   CAPTURE(w, SEND("HTTP/1.1 403 Forbidden\r\nContent-Length: 24\r\n\r\n"
                                   "\"Bearer tok-en |\" to-ken\n")),
                   OUTCOME_UNAUTHORIZED, "403: \"\"Bearer [...] |\" to-ken\"");
    assert_nothing(w, CAPTURE(w, SEND(OK_HEAD "Content-Length: 11\r\n\r\nnot tok-en!")),
                   OUTCOME_NOT_A_TRACE, "\"not [...]!\"");
    w->config.access.auth.credentials_file = NULL;
    w->config.access.auth.basic_username = TEXT("u");
    w->config.access.auth.basic_password_file = path;
    assert_nothing(w,
                   CAPTURE(w, SEND("HTTP/1.1 403 Forbidden\r\nContent-Length: 29\r\n\r\n"
                                   "x u:tok-en tok-en dTp0b2stZW4")),
                   OUTCOME_UNAUTHORIZED, "403: \"x [...] [...] [...]\"");
}

static void test_tls_file(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {{.what = LOOPBACK_WAIT}};

    w->config.https = true;
    w->config.access.tls.ca_file = TEXT("/nonexistent/ca.pem");
    begin(w, steps, 1);
    assert_nothing(w, finish(w), OUTCOME_CREDENTIALS, "");
}

static void check_room(struct world *w, int answer, uint64_t room)
{
    size_t n;
    char *body = traces_chunked(w->trace.data, w->trace.n, 100000, &n);

    w->answer = answer;
    w->later = 0;
    w->room = room;
    open_file(w);
    assert_int_equal(CAPTURE(w, SEND(CHUNKED), BYTES(body, n)), OUTCOME_OK);
    assert_kept(w, w->trace.n, 3);
    assert_int_equal(w->result.received, w->trace.n);
    /* in large steps */
    assert_in_range(w->grows, w->trace.n > room ? 1 : 0, (w->trace.n >> 20) + 1);
    assert_true(w->asked <= w->config.body_size_limit);
    free(body);
}

static void test_room_granted(void **state)
{
    struct world *w = *state;

    traces_make(&w->trace, 26, 3, 2 << 20);
    check_room(w, GRANT, 0);
    check_room(w, GRANT, 12345);
    check_room(w, LATER, 0);
    check_room(w, LATER, 12345);
    w->config.body_size_limit = w->trace.n;
    check_room(w, LATER, w->trace.n - 1);
    check_room(w, LATER, w->trace.n);
    assert_int_equal(w->grows, 0);
}

/* No room, said at once or later; the peer sends no more then, and waits. */
static void check_no_room(struct world *w, int answer, uint64_t room, unsigned generations)
{
    enum outcome outcome;

    w->answer = answer;
    w->later = -ENOSPC;
    w->room = room;
    open_file(w);
    outcome = CAPTURE(w, SEND(OK_HEAD "Content-Length: 100000000\r\n\r\n"),
                      BYTES(w->trace.data, w->trace.n), {.what = LOOPBACK_WAIT});
    if (generations == 0)
        assert_nothing(w, outcome, OUTCOME_NO_SPACE, "no_space");
    else
        assert_truncated(w, outcome, generations, "no_space");
    assert_true(w->result.received <= room);
}

static void test_room_refused(void **state)
{
    struct world *w = *state;

    traces_make(&w->trace, 26, 3, 400000);
    check_no_room(w, REFUSE, 0, 0);
    check_no_room(w, LATER, 0, 0);
    check_no_room(w, REFUSE, w->trace.ends[1] + 200000, 2);
    check_no_room(w, LATER, w->trace.ends[1] + 200000, 2);
}

/* A full disk is seen while the body still comes, or at the body's end if it fits into one block. */
static void test_disk_full(void **state)
{
    struct world *w = *state;

    traces_make(&w->trace, 26, 2, 100000);
    w->fd = open("/dev/full", O_RDWR | O_CLOEXEC);
    assert_true(w->fd >= 0);
    assert_nothing(w,
                   CAPTURE(w, SEND(OK_HEAD "Content-Length: 1000000\r\n\r\n"),
                           BYTES(w->trace.data, w->trace.n), {.what = LOOPBACK_WAIT}),
                   OUTCOME_NO_SPACE, "No space left on device");
}

static void test_disk_full_at_the_end(void **state)
{
    struct world *w = *state;
    char head[256];

    traces_make(&w->trace, 26, 2, 1000);
    w->fd = open("/dev/full", O_RDWR | O_CLOEXEC);
    assert_true(w->fd >= 0);
    (void)snprintf(head, sizeof(head), OK_HEAD "Content-Length: %zu\r\n\r\n", w->trace.n);
    assert_nothing(w, CAPTURE(w, SEND(head), BYTES(w->trace.data, w->trace.n)), OUTCOME_NO_SPACE,
                   "No space left on device");
}

static void test_read_only_file(void **state)
{
    struct world *w = *state;

    traces_make(&w->trace, 26, 2, 100000);
    w->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(w->fd >= 0);
    assert_nothing(w,
                   CAPTURE(w, SEND(OK_HEAD "Content-Length: 1000000\r\n\r\n"),
                           BYTES(w->trace.data, w->trace.n), {.what = LOOPBACK_WAIT}),
                   OUTCOME_STORAGE, "cannot write the trace: Bad file descriptor");
}

/* Full after the first generation: dropped, since the piece that could not be written
 * was framed and hashed before. */
static void test_file_size_limit(void **state)
{
    struct rlimit limit, low;
    struct world *w = *state;
    enum outcome outcome;

    traces_make(&w->trace, 26, 3, 100000);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    low = limit;
    low.rlim_cur = w->trace.ends[0] + 1000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    outcome = CAPTURE(w, SEND(OK_HEAD "Content-Length: 1000000\r\n\r\n"),
                      BYTES(w->trace.data, w->trace.n), {.what = LOOPBACK_WAIT});
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_nothing(w, outcome, OUTCOME_NO_SPACE, "cannot write the trace: File too large");
}

static void check_stop(struct world *w, size_t sent, unsigned generations)
{
    const struct loopback_step steps[] = {SEND(OK_HEAD "Content-Length: 10000000\r\n\r\n"),
                                          BYTES(w->trace.data, sent),
                                          {.what = LOOPBACK_WAIT}};

    open_file(w);
    begin(w, steps, sent > 0 ? 3 : 1);
    while (capture_received(w->capture) < sent)
        step(w);
    capture_stop(w->capture, "gone");
    assert_true(w->finished);
    if (generations > 0)
        assert_truncated(w, w->result.outcome, generations, "gone");
    else
        assert_nothing(w, w->result.outcome, OUTCOME_CANCELLED, "gone");
    loopback_free(w->server);
    w->server = NULL;
}

static void test_stop(void **state)
{
    struct world *w = *state;

    traces_make(&w->trace, 26, 3, 10000);
    check_stop(w, 0, 0); /* before the connection */
    check_stop(w, 7, 0);
    check_stop(w, w->trace.ends[0] - 1, 0);
    check_stop(w, w->trace.ends[0], 1);
    check_stop(w, w->trace.ends[1] + 100, 2);
}

/* Stopped while it waits for room. */
static void test_stop_while_paused(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {SEND(OK_HEAD "\r\ngo 1.26 trace"),
                                          {.what = LOOPBACK_WAIT}};

    w->answer = LATER;
    w->room = 0;
    begin(w, steps, 2);
    while (w->grows == 0)
        step(w);
    capture_stop(w->capture, "shutdown");
    assert_nothing(w, w->result.outcome, OUTCOME_CANCELLED, "shutdown");
    assert_int_equal(w->result.received, 0);
    step(w);                        /* the answer comes too late; this test's owner knows */
    (void)loopback_join(w->server); /* done with the steps */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(test_whole_by_length, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ended_by_a_close, setup, teardown),
        cmocka_unit_test_setup_teardown(test_old_format, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unix_socket, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_by_the_peer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reset, setup, teardown),
        cmocka_unit_test_setup_teardown(test_incomplete_trace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_corrupt_trace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_text_in_pieces, setup, teardown),
        cmocka_unit_test_setup_teardown(test_size_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_endless_body, setup, teardown),
        cmocka_unit_test_setup_teardown(test_statuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_error_page, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timeouts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_credentials, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flight, setup, teardown),
        cmocka_unit_test_setup_teardown(test_echoes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tls_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_room_granted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_room_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_disk_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_disk_full_at_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_only_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_file_size_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop_while_paused, setup, teardown),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    (void)signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
