/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/net/http.h"
#include "tests/support/client.h"
#include "tests/support/loopback.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

#define LONG USEC_PER_HOUR

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"

static pthread_mutex_t stuck_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t stuck_changed = PTHREAD_COND_INITIALIZER;
static unsigned stuck_inside;
static bool stuck_released;

/* In the place of the C library's for libcurl, too: "stuck.invalid" hangs until it is released, and
 * no other name but those of this machine is known. */
int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict ret)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

    if (node && strcmp(node, "stuck.invalid") == 0) {
        (void)pthread_mutex_lock(&stuck_lock);
        stuck_inside++;
        (void)pthread_cond_broadcast(&stuck_changed);
        while (!stuck_released)
            (void)pthread_cond_wait(&stuck_changed, &stuck_lock);
        stuck_inside--;
        (void)pthread_cond_broadcast(&stuck_changed);
        (void)pthread_mutex_unlock(&stuck_lock);
        return EAI_AGAIN;
    }
    if (node && strstr(node, ".invalid"))
        return EAI_NONAME;
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, ret);
}

static unsigned short_of_memory; /* so many times curl cannot do what is asked of it */

CURLMcode curl_multi_socket_action(CURLM *multi, curl_socket_t fd, int mask, int *running)
{
    CURLMcode (*real)(CURLM *, curl_socket_t, int, int *);

    if (short_of_memory > 0) {
        short_of_memory--;
        return CURLM_OUT_OF_MEMORY;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "curl_multi_socket_action");
    return real(multi, fd, mask, running);
}

static void release_stuck(void)
{
    (void)pthread_mutex_lock(&stuck_lock);
    stuck_released = true;
    (void)pthread_cond_broadcast(&stuck_changed);
    while (stuck_inside > 0)
        (void)pthread_cond_wait(&stuck_changed, &stuck_lock);
    (void)pthread_mutex_unlock(&stuck_lock);
    /* The thread is on its way out; LeakSanitizer counts what it still holds. */
    while (scratch_threads() > 1)
        (void)usleep(1000);
}

struct world {
    struct client client;
    char *body;
    size_t body_len;
    long body_status;
    int body_socket;
    unsigned connected;
    ssize_t (*on_body)(struct world *w, const void *data, size_t n); /* instead of keeping it */
    unsigned calls, pauses;
};

static ssize_t keep(struct world *w, const void *data, size_t n)
{
    w->body = realloc(w->body, w->body_len + n + 1);
    assert_non_null(w->body);
    memcpy(w->body + w->body_len, data, n);
    w->body_len += n;
    w->body[w->body_len] = '\0';
    return (ssize_t)n;
}

static void on_connected(void *userdata)
{
    struct world *w = userdata;

    assert_false(w->client.finished);
    assert_true(http_socket(w->client.request) >= 0);
    w->connected++;
}

static ssize_t on_body(void *userdata, const void *data, size_t n)
{
    struct world *w = userdata;

    assert_false(w->client.finished);
    assert_int_equal(w->connected, 1);
    w->calls++;
    w->body_status = http_status(w->client.request);
    w->body_socket = http_socket(w->client.request);
    return w->on_body ? w->on_body(w, data, n) : keep(w, data, n);
}

static const struct http_handlers handlers = {
    .connected = on_connected, .body = on_body, .finished = client_finished};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    client_init(&w->client, SCRATCH_FOR_SOCKETS);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    client_done(&w->client);
    free(w->body);
    free(w);
    return 0;
}

static const char *url_of(struct world *w, const char *scheme, const char *host)
{
    static char url[256];

    (void)snprintf(url, sizeof(url), "%s://%s:%u/trace?seconds=2", scheme, host,
                   loopback_port(w->client.server));
    return url;
}

static void begin(struct world *w, const struct http_options *options)
{
    struct http_options o = *options;

    if (o.timeout == 0)
        o.timeout = LONG;
    if (o.connect_timeout == 0)
        o.connect_timeout = LONG;
    w->body_len = w->calls = w->pauses = w->connected = 0;
    client_start(&w->client, &o, &handlers);
}

static enum http_error run(struct world *w, const struct http_options *options)
{
    begin(w, options);
    return client_wait(&w->client);
}

/* Asks a server on 127.0.0.1 that answers so. */
static enum http_error ask(struct world *w, const struct loopback_step *steps, size_t n)
{
    enum http_error error;

    if (!w->client.server)
        w->client.server = loopback_new(NULL);
    loopback_play(w->client.server, steps, n);
    error = run(w, &(struct http_options){.url = url_of(w, "http", "127.0.0.1")});
    (void)loopback_join(w->client.server);
    return error;
}

#define ASK(w, ...)                                       \
    ask((w), (const struct loopback_step[]){__VA_ARGS__}, \
        sizeof((const struct loopback_step[]){__VA_ARGS__}) / sizeof(struct loopback_step))

static void test_request(void **state)
{
    const struct loopback_step steps[] = {SEND(OK_HEAD "Content-Length: 2\r\n\r\nhi")};
    struct world *w = *state;
    const char *request;

    /* None of these may have a say. */
    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    assert_int_equal(setenv("ALL_PROXY", "http://127.0.0.1:1", 1), 0);
    w->client.server = loopback_new(NULL);
    loopback_play(w->client.server, steps, 1);
    assert_int_equal(run(w, &(struct http_options){.url = url_of(w, "http", "127.0.0.1"),
                                                   .authorization = "Authorization: Bearer t0k"}),
                     HTTP_OK);
    request = loopback_join(w->client.server);
    assert_int_equal(strncmp(request, "GET /trace?seconds=2 HTTP/1.1\r\n", 31), 0);
    assert_non_null(strstr(request, "\r\nAuthorization: Bearer t0k\r\n"));
    assert_non_null(strstr(request, "\r\nUser-Agent: contraced/test\r\n"));
    assert_non_null(strstr(request, "\r\nHost: 127.0.0.1:"));
    assert_null(strcasestr(request, "accept-encoding"));
    assert_null(strcasestr(request, "\r\nte:"));
    assert_string_equal(w->body, "hi");
    assert_int_equal(w->body_status, 200);
    assert_true(w->body_socket >= 0);
    assert_int_equal(w->client.result.status, 200);
    assert_true(w->client.result.delimited);
    assert_int_equal(unsetenv("http_proxy"), 0);
    assert_int_equal(unsetenv("ALL_PROXY"), 0);
}

static ssize_t check_cloexec(struct world *w, const void *data, size_t n)
{
    assert_true(fcntl(http_socket(w->client.request), F_GETFD) & FD_CLOEXEC);
    return keep(w, data, n);
}

static void test_socket_is_not_inherited(void **state)
{
    struct world *w = *state;

    w->on_body = check_cloexec;
    assert_int_equal(ASK(w, SEND(OK_HEAD "Content-Length: 2\r\n\r\nhi")), HTTP_OK);
}

static void test_bodies(void **state)
{
    struct world *w = *state;

    assert_int_equal(ASK(w, SEND(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")),
                     HTTP_OK);
    assert_string_equal(w->body, "hi");
    assert_true(w->client.result.delimited);
    assert_int_equal(ASK(w, SEND(OK_HEAD "\r\nhi, until the close")), HTTP_OK);
    assert_string_equal(w->body, "hi, until the close");
    assert_false(w->client.result.delimited);
    assert_int_equal(ASK(w, SEND("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nwait")), HTTP_OK);
    assert_int_equal(w->client.result.status, 503);
    assert_string_equal(w->body, "wait");
    assert_int_equal(ASK(w, SEND(OK_HEAD "Content-Length: 0\r\n\r\n")), HTTP_OK);
    assert_int_equal(w->body_len, 0);
    assert_int_equal(
        ASK(w, SEND("HTTP/1.1 100 Continue\r\n\r\n" OK_HEAD "Content-Length: 2\r\n\r\nhi")),
        HTTP_OK);
    assert_int_equal(w->client.result.status, 200);
    assert_string_equal(w->body, "hi");
}

static void test_redirect_is_not_followed(void **state)
{
    struct world *w = *state;

    assert_int_equal(ASK(w, SEND("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
                                 "Content-Length: 0\r\n\r\n")),
                     HTTP_OK);
    assert_int_equal(w->client.result.status, 302);
}

static void test_broken_off(void **state)
{
    struct world *w = *state;

    assert_int_equal(ASK(w, SEND(OK_HEAD "Content-Length: 10\r\n\r\nhi")), HTTP_CLOSED);
    assert_int_equal(ASK(w, SEND(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhi")),
                     HTTP_CLOSED);
    assert_int_equal(ASK(w, SEND(OK_HEAD "Content-Length: 10\r\n\r\nhi"), {.what = LOOPBACK_RESET}),
                     HTTP_CLOSED);
    assert_int_equal(ASK(w, SEND("HTTP/1.1 200 OK\r\n")), HTTP_CLOSED);
    assert_int_equal(ASK(w, SEND(OK_HEAD "Content-Length: 0\r\n")), HTTP_CLOSED);
    assert_int_equal(ASK(w, SEND(OK_HEAD "Date: Sat, 14")), HTTP_CLOSED);
    assert_int_equal(ASK(w, SEND("HTTP/1.1 103 Early Hints\r\n\r\n")), HTTP_CLOSED);
    assert_int_equal(ASK(w, SEND("")), HTTP_CLOSED);
    assert_int_equal(ASK(w, {.what = LOOPBACK_RESET}), HTTP_CLOSED);
    assert_int_equal(w->client.result.status, 0);
}

static void test_not_http(void **state)
{
    struct world *w = *state;

    assert_int_equal(ASK(w, SEND("SSH-2.0-OpenSSH_9.2\r\n")), HTTP_PROTOCOL);
    assert_int_equal(w->calls, 0);
    /* To curl a length that is no number is a failed read. */
    assert_int_equal(ASK(w, SEND(OK_HEAD "Transfer-Encoding: chunked\r\n\r\nxyz\r\n")),
                     HTTP_CLOSED);
    assert_int_equal(w->calls, 0);
}

static void test_coding_that_was_not_asked_for(void **state)
{
    static const char *const codings[] = {"gzip",    "gzip, chunked", "chunked, gzip",
                                          "deflate", "identity",      "x"};
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
        char text[256];

        (void)snprintf(text, sizeof(text), OK_HEAD "Transfer-Encoding: %s\r\n\r\n2\r\nhi\r\n",
                       codings[i]);
        assert_int_equal(ASK(w, SEND(text), {.what = LOOPBACK_WAIT}), HTTP_PROTOCOL);
        assert_non_null(strstr(w->client.result.text, "Transfer-Encoding"));
        assert_int_equal(w->calls, 0);
    }
    /* Content-Encoding is the body's own affair: it stays as it is. */
    assert_int_equal(ASK(w, SEND(OK_HEAD "Content-Encoding: gzip\r\n"
                                         "Content-Length: 2\r\n\r\n\x1f\x8b")),
                     HTTP_OK);
    assert_string_equal(w->body, "\x1f\x8b");
}

static void test_long_headers(void **state)
{
    struct world *w = *state;
    char *line = malloc(200001), *many = malloc(1100);

    assert_true(line && many);
    (void)snprintf(many, 1100, "X-Many: %01000d\r\n", 0);
    /* 10 KiB lines are fine, up to 64 KiB in all. */
    assert_int_equal(ASK(w, SEND(OK_HEAD), {.what = LOOPBACK_REPEAT, .data = many, .times = 60},
                         SEND("Content-Length: 2\r\n\r\nhi")),
                     HTTP_OK);
    assert_int_equal(ASK(w, SEND(OK_HEAD), {.what = LOOPBACK_REPEAT, .data = many, .times = 70},
                         {.what = LOOPBACK_WAIT}),
                     HTTP_PROTOCOL);
    assert_non_null(strstr(w->client.result.text, "64 KiB"));
    /* One line: within curl's own limit, and past it, as a header or as the status. */
    memset(line, 'x', 200000);
    line[200000] = '\0';
    memcpy(line, "X: ", 3);
    assert_int_equal(ASK(w, SEND(OK_HEAD), {.what = LOOPBACK_SEND, .data = line, .n = 70000},
                         SEND("\r\n"), {.what = LOOPBACK_WAIT}),
                     HTTP_PROTOCOL);
    assert_int_equal(ASK(w, SEND(OK_HEAD), SEND(line), {.what = LOOPBACK_WAIT}), HTTP_PROTOCOL);
    assert_non_null(strstr(w->client.result.text, "64 KiB"));
    assert_int_equal(ASK(w, SEND("HTTP/1.1 200 "), SEND(line), {.what = LOOPBACK_WAIT}),
                     HTTP_PROTOCOL);
    assert_non_null(strstr(w->client.result.text, "64 KiB"));
    /* Interim responses without end. */
    assert_int_equal(
        ASK(w,
            {.what = LOOPBACK_REPEAT, .data = "HTTP/1.1 103 Early Hints\r\n\r\n", .times = 10000},
            {.what = LOOPBACK_WAIT}),
        HTTP_PROTOCOL);
    free(line);
    free(many);
}

static void test_timeouts(void **state)
{
    const struct loopback_step silent[] = {{.what = LOOPBACK_WAIT}};
    const struct loopback_step half[] = {SEND(OK_HEAD "Content-Length: 10\r\n\r\nhi"),
                                         {.what = LOOPBACK_WAIT}};
    const struct loopback_step drip[] = {
        SEND(OK_HEAD "\r\n"),
        {.what = LOOPBACK_SEND, .data = "x"},
        {.what = LOOPBACK_SLEEP, .times = 20},
        {.what = LOOPBACK_SEND, .data = "x"},
        {.what = LOOPBACK_SLEEP, .times = 20},
        {.what = LOOPBACK_SEND, .data = "x"},
        {.what = LOOPBACK_WAIT},
    };
    struct world *w = *state;
    struct http_options o = {.timeout = 60 * USEC_PER_MSEC};

    w->client.server = loopback_new(NULL);
    o.url = url_of(w, "http", "127.0.0.1");
    loopback_play(w->client.server, silent, 1);
    assert_int_equal(run(w, &o), HTTP_TIMEOUT);
    assert_int_equal(w->client.result.status, 0);
    do { /* until this machine is quick enough for the half that comes */
        loopback_play(w->client.server, half, 2);
        assert_int_equal(run(w, &o), HTTP_TIMEOUT);
        o.timeout *= 2;
    } while (w->client.result.status != 200);
    loopback_play(w->client.server, drip, sizeof(drip) / sizeof(drip[0]));
    assert_int_equal(run(w, &o), HTTP_TIMEOUT);
}

/* Whenever memory is short, what is under way ends, and what comes later works. */
static void test_short_of_memory(void **state)
{
    const struct loopback_step whole[] = {SEND(OK_HEAD "Content-Length: 2\r\n\r\nhi")};
    const struct loopback_step silent[] = {{.what = LOOPBACK_WAIT}};
    struct world *w = *state;
    struct http_options o = {.timeout = 300 * USEC_PER_MSEC};

    for (unsigned skipped = 0; skipped < 2; skipped++) {
        w->client.server = loopback_new(NULL);
        o.url = url_of(w, "http", "127.0.0.1");
        loopback_play(w->client.server, silent, 1);
        begin(w, &o);
        for (unsigned i = 0; i < skipped; i++)
            client_step(&w->client);
        short_of_memory = 1;
        while (!w->client.finished)
            client_step(&w->client);
        assert_int_equal(short_of_memory, 0);
        assert_int_equal(w->client.result.error, HTTP_LOCAL);
        assert_string_equal(w->client.result.text, "not enough memory for the transfer");
        loopback_free(w->client.server);
    }
    w->client.server = loopback_new(NULL);
    o = (struct http_options){.url = url_of(w, "http", "127.0.0.1")};
    loopback_play(w->client.server, whole, 1);
    assert_int_equal(run(w, &o), HTTP_OK);
    assert_string_equal(w->body, "hi");
}

/* A server that never speaks TLS: the connect timeout covers the handshake. */
static void test_connect_timeout_covers_tls(void **state)
{
    const struct loopback_step silent[] = {{.what = LOOPBACK_WAIT}};
    struct world *w = *state;

    w->client.server = loopback_new(NULL);
    loopback_play(w->client.server, silent, 1);
    assert_int_equal(run(w, &(struct http_options){.url = url_of(w, "https", "127.0.0.1"),
                                                   .connect_timeout = 60 * USEC_PER_MSEC}),
                     HTTP_TIMEOUT);
}

static void test_no_such_name(void **state)
{
    struct world *w = *state;

    assert_int_equal(run(w, &(struct http_options){.url = "http://no-such-host.invalid:6060/"}),
                     HTTP_DNS);
}

/* A name server that does not answer must not stop the loop, at a timeout or at a cancel. */
static void test_stuck_name_server(void **state)
{
    struct http_options o = {.url = "http://stuck.invalid/",
                             .timeout = 60 * USEC_PER_MSEC,
                             .connect_timeout = 60 * USEC_PER_MSEC};
    struct world *w = *state;

    assert_int_equal(run(w, &o), HTTP_TIMEOUT);
    o.timeout = o.connect_timeout = LONG;
    begin(w, &o);
    for (unsigned i = 0; i < 3; i++)
        assert_true(sd_event_run(w->client.event, 1000) >= 0);
    http_cancel(w->client.request);
    w->client.request = NULL;
    assert_false(w->client.finished);
    release_stuck();
}

static void test_refused(void **state)
{
    struct world *w = *state;
    struct loopback *gone = loopback_new(NULL);
    char url[64];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", loopback_port(gone));
    loopback_free(gone);
    assert_int_equal(run(w, &(struct http_options){.url = url}), HTTP_CONNECT);
    assert_int_equal(
        run(w, &(struct http_options){.url = "http://localhost/",
                                      .unix_path = scratch_path(w->client.dir, "none")}),
        HTTP_CONNECT);
}

static void check_unix(struct world *w, const char *path)
{
    const struct loopback_step steps[] = {SEND(OK_HEAD "Content-Length: 2\r\n\r\nhi")};
    struct loopback *server = loopback_new(&(struct loopback_options){.unix_path = path});

    loopback_play(server, steps, 1);
    assert_int_equal(run(w, &(struct http_options){.url = "http://localhost/x", .unix_path = path}),
                     HTTP_OK);
    assert_string_equal(w->body, "hi");
    assert_non_null(strstr(loopback_join(server), "\r\nHost: localhost\r\n"));
    loopback_free(server);
}

static void test_unix_sockets(void **state)
{
    struct world *w = *state;
    char abstract[64];

    check_unix(w, scratch_path(w->client.dir, "sock"));
    (void)snprintf(abstract, sizeof(abstract), "@contrace-unit-%d", (int)getpid());
    check_unix(w, abstract);
}

static void test_no_descriptors(void **state)
{
    struct rlimit limit, low;
    struct world *w = *state;

    w->client.server = loopback_new(NULL);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    (void)run(w, &(struct http_options){.url = url_of(w, "http", "127.0.0.1")});
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(w->client.result.error, HTTP_LOCAL);
}

#define BIG (3u << 20)

static char *big_response(size_t *ret_n)
{
    char *data = malloc(BIG + 256);
    int head;

    assert_non_null(data);
    head = snprintf(data, 256, OK_HEAD "Content-Length: %u\r\n\r\n", BIG);
    for (size_t i = 0; i < BIG; i++)
        data[(size_t)head + i] = (char)(i * 31 + i / 65536);
    *ret_n = (size_t)head + BIG;
    return data;
}

static int on_resume(sd_event_source *s, void *userdata)
{
    struct world *w = userdata;

    (void)s;
    if (w->client.request)
        http_resume(w->client.request);
    return 0;
}

/* Every other piece is refused once, and asked for again from the loop. */
static ssize_t pause_often(struct world *w, const void *data, size_t n)
{
    if (w->calls % 2 == 1) {
        w->pauses++;
        assert_true(sd_event_add_defer(w->client.event, NULL, on_resume, w) >= 0);
        return HTTP_PAUSE;
    }
    return keep(w, data, n);
}

static void test_pause_loses_nothing(void **state)
{
    struct world *w = *state;
    size_t n;
    char *response = big_response(&n);

    w->on_body = pause_often;
    assert_int_equal(ASK(w, {.what = LOOPBACK_SEND, .data = response, .n = n}), HTTP_OK);
    assert_int_equal(w->body_len, BIG);
    assert_memory_equal(w->body, response + n - BIG, BIG);
    assert_true(w->pauses > 3);
    free(response);
}

static ssize_t abort_at_once(struct world *w, const void *data, size_t n)
{
    (void)w;
    (void)data;
    (void)n;
    return HTTP_ABORT;
}

static void test_abort(void **state)
{
    struct world *w = *state;

    w->on_body = abort_at_once;
    assert_int_equal(ASK(w, SEND(OK_HEAD "Content-Length: 10\r\n\r\nhi"), {.what = LOOPBACK_WAIT}),
                     HTTP_ABORTED);
    assert_int_equal(w->calls, 1);
    assert_int_equal(w->client.result.status, 200);
}

static ssize_t pause_then_abort(struct world *w, const void *data, size_t n)
{
    (void)data;
    (void)n;
    if (w->calls > 1)
        return HTTP_ABORT;
    assert_true(sd_event_add_defer(w->client.event, NULL, on_resume, w) >= 0);
    return HTTP_PAUSE;
}

/* The server sends no more after the pause, and waits: only the abort can end it. */
static void test_abort_from_within_resume(void **state)
{
    struct world *w = *state;

    w->on_body = pause_then_abort;
    assert_int_equal(ASK(w, SEND(OK_HEAD "Content-Length: 10\r\n\r\nhi"), {.what = LOOPBACK_WAIT}),
                     HTTP_ABORTED);
    assert_int_equal(w->calls, 2);
}

static void test_cancel(void **state)
{
    const struct loopback_step steps[] = {SEND(OK_HEAD "Content-Length: 10\r\n\r\nhi"),
                                          {.what = LOOPBACK_WAIT}};
    struct world *w = *state;

    http_cancel(NULL);
    w->client.server = loopback_new(NULL);
    for (unsigned at = 0; at < 3; at++) { /* before anything, after the first event, in the body */
        loopback_play(w->client.server, steps, 2);
        begin(w, &(struct http_options){.url = url_of(w, "http", "127.0.0.1")});
        if (at == 1)
            client_step(&w->client);
        while (at == 2 && w->calls == 0)
            client_step(&w->client);
        http_cancel(w->client.request);
        w->client.request = NULL;
        assert_false(w->client.finished);
        if (at == 0) { /* nobody came */
            loopback_free(w->client.server);
            w->client.server = loopback_new(NULL);
        }
    }
}

/* Many at once, each with its own end. */
static void test_many(void **state)
{
    enum { MANY = 20 };
    const struct loopback_step good[] = {SEND(OK_HEAD "Content-Length: 2\r\n\r\nhi")};
    const struct loopback_step bad[] = {SEND(OK_HEAD "Content-Length: 9\r\n\r\nhi")};
    struct world *w = *state, worlds[MANY];
    struct loopback *servers[MANY];
    unsigned left = MANY;

    memset(worlds, 0, sizeof(worlds));
    for (unsigned i = 0; i < MANY; i++) {
        servers[i] = loopback_new(NULL);
        worlds[i].client.http = w->client.http;
        worlds[i].client.server = servers[i];
        loopback_play(servers[i], i % 2 ? good : bad, 1);
        begin(&worlds[i], &(struct http_options){.url = url_of(&worlds[i], "http", "127.0.0.1")});
    }
    while (left > 0) {
        client_step(&w->client);
        left = 0;
        for (unsigned i = 0; i < MANY; i++)
            left += !worlds[i].client.finished;
    }
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(worlds[i].client.result.error, i % 2 ? HTTP_OK : HTTP_CLOSED);
        assert_string_equal(worlds[i].body, "hi");
        free(worlds[i].body);
        loopback_free(servers[i]);
    }
}

static void test_bad_options(void **state)
{
    struct world *w = *state;

    assert_int_equal(http_start(w->client.http,
                                &(struct http_options){.url = "http://a b/",
                                                       .tls.server_name = TEXT("x"),
                                                       .timeout = LONG,
                                                       .connect_timeout = LONG},
                                &handlers, w, &w->client.request),
                     -EINVAL);
    assert_null(w->client.request);
    assert_int_equal(run(w, &(struct http_options){.url = "ftp://127.0.0.1/"}), HTTP_PROTOCOL);
    assert_int_equal(run(w, &(struct http_options){.url = "file:///etc/passwd"}), HTTP_PROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_request, setup, teardown),
        cmocka_unit_test_setup_teardown(test_socket_is_not_inherited, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bodies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_redirect_is_not_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken_off, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_http, setup, teardown),
        cmocka_unit_test_setup_teardown(test_coding_that_was_not_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timeouts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_short_of_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_connect_timeout_covers_tls, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_such_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stuck_name_server, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unix_sockets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_descriptors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pause_loses_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_abort, setup, teardown),
        cmocka_unit_test_setup_teardown(test_abort_from_within_resume, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_options, setup, teardown),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
