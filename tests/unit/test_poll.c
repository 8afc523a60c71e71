/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/watch/poll.h"
#include "lib/net/redact.h"
#include "tests/support/loopback.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"
#define PAGE "# TYPE runnable gauge\nrunnable 12\nother 1\n"
#define LENGTH "Content-Length: 42\r\n\r\n"

static struct trigger_config rule = {.name = TEXT("busy"),
                                     .metrics = {TEXT("/metrics"), USEC_PER_SEC},
                                     .measure = TRIGGER_GAUGE,
                                     .of = {TEXT("runnable"), NULL},
                                     .test = TRIGGER_ABOVE,
                                     .limit = 10,
                                     .polls = 1};

struct world {
    sd_event *event;
    struct http *http;
    struct loopback *server;
    struct rulebook *book;
    struct job_config config;
    struct target *target;
    struct poll *poll;
    struct poll_result result;
    double value; /* of the page; NaN: there was none */
    bool keep;
    size_t pieces;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    const struct trigger_config *rules[] = {&rule};
    struct target_config at = {0};
    struct target_job *job;
    char address[32];

    assert_non_null(w);
    assert_true(sd_event_new(&w->event) >= 0);
    assert_int_equal(http_new(w->event, "contraced/test", &w->http), 0);
    w->server = loopback_new(&(struct loopback_options){0});
    assert_int_equal(rulebook_new(rules, 1, &w->book), 0);
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", loopback_port(w->server));
    at.address = address;
    at.parsed.host = TEXT("127.0.0.1");
    at.parsed.port = (uint16_t)loopback_port(w->server);
    w->config = (struct job_config){.name = TEXT("job"), .path = TEXT("/debug/pprof/trace")};
    job = target_job_new(&w->config, NULL);
    w->target = target_new(address);
    assert_non_null(job);
    assert_non_null(w->target);
    assert_int_equal(target_fill(w->target, job, &at, "host", false), 0);
    target_job_unref(job);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    assert_null(w->poll);
    http_free(w->http);
    sd_event_unref(w->event);
    loopback_free(w->server);
    rulebook_free(w->book);
    target_unref(w->target);
    free(w);
    return 0;
}

static void on_piece(void *userdata, const void *data, size_t n)
{
    struct world *w = userdata;

    (void)data;
    w->pieces += n;
}

static void on_ended(void *userdata, const struct poll_result *result,
                     const struct rulebook_page *page)
{
    struct world *w = userdata;

    w->poll = NULL;
    w->result = *result;
    w->value = page ? rulebook_reading(page, 0)->sum[0].value : 0;
    assert_int_equal(page != NULL, result->end == POLLEND_OK);
}

static int begin(struct world *w)
{
    return poll_start(w->http,
                      &(struct poll_options){.target = w->target,
                                             .path = "/metrics",
                                             .book = w->book,
                                             .timeout = USEC_PER_HOUR,
                                             .keep = w->keep,
                                             .piece = on_piece},
                      on_ended, w, &w->poll, &w->result);
}

static void run(struct world *w)
{
    assert_int_equal(begin(w), 0);
    while (w->poll)
        assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
}

static void test_a_page(void **state)
{
    struct world *w = *state;
    const char *request;

    LOOPBACK_PLAY(w->server, SEND(OK_HEAD LENGTH), SEND("# TYPE runnable gauge\nrunn"),
                  {.what = LOOPBACK_SLEEP, .times = 20}, SEND("able 12\nother 1\n"));
    run(w);
    request = loopback_join(w->server);
    assert_int_equal(w->result.end, POLLEND_OK);
    assert_true(w->value == 12);
    assert_int_equal(w->result.series, 2);
    assert_int_equal(w->result.bytes, strlen(PAGE));
    assert_int_equal(w->pieces, strlen(PAGE));
    assert_string_equal(w->result.text, "");
    assert_memory_equal(request, "GET /metrics HTTP/1.1\r\n", 23);
    assert_non_null(strstr(request, "\r\nAccept-Encoding: identity\r\n"));
}

static void test_a_connection_is_kept(void **state)
{
    struct world *w = *state;

    w->keep = true;
    http_keep(w->http, 100);
    LOOPBACK_PLAY(w->server, SEND(OK_HEAD LENGTH PAGE), NEXT, SEND(OK_HEAD LENGTH PAGE));
    run(w);
    assert_int_equal(w->result.end, POLLEND_OK);
    run(w); /* on the same connection: there is no ACCEPT */
    (void)loopback_join(w->server);
    assert_int_equal(w->result.end, POLLEND_OK);
    assert_true(w->value == 12);
}

static void test_what_is_no_page(void **state)
{
    struct world *w = *state;

    LOOPBACK_PLAY(w->server, SEND(OK_HEAD "Content-Encoding: br\r\n" LENGTH PAGE), ACCEPT,
                  SEND("HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno"), ACCEPT,
                  SEND(OK_HEAD "Content-Length: 15\r\n\r\n<html>no</html>"), ACCEPT,
                  SEND(OK_HEAD "Content-Length: 50\r\n\r\n" PAGE));
    run(w);
    assert_int_equal(w->result.end, POLLEND_COMPRESSED);
    assert_string_equal(w->result.text, "the answer is compressed (br)");
    run(w);
    assert_int_equal(w->result.end, POLLEND_HTTP_STATUS);
    assert_string_equal(w->result.text, "HTTP status 500");
    run(w);
    assert_int_equal(w->result.end, POLLEND_NOT_METRICS);
    assert_true(w->result.text[0] != '\0');
    run(w);
    assert_int_equal(w->result.end, POLLEND_CLOSED);
    (void)loopback_join(w->server);
}

static void test_cancelled(void **state)
{
    struct world *w = *state;

    LOOPBACK_PLAY(w->server, SEND(OK_HEAD LENGTH), {.what = LOOPBACK_WAIT});
    assert_int_equal(begin(w), 0);
    for (int i = 0; i < 5; i++)
        assert_true(sd_event_run(w->event, 20 * USEC_PER_MSEC) >= 0);
    poll_cancel(w->poll);
    w->poll = NULL;
    poll_cancel(NULL);
    (void)loopback_join(w->server);
}

static void test_a_secret_that_is_gone(void **state)
{
    struct world *w = *state;

    w->target->job->access.auth.credentials_file = strdup("/nonexistent/token");
    assert_int_equal(begin(w), -ENOENT);
    assert_int_equal(w->result.end, POLLEND_CREDENTIALS);
    assert_non_null(strstr(w->result.text, "/nonexistent/token"));
}

/* What it answers may repeat what it was sent. */
static void test_a_secret_that_is_repeated(void **state)
{
    struct world *w = *state;
    char *dir = scratch_new(SCRATCH_FOR_SOCKETS);

    (void)scratch_write(dir, "token", "correct-horse-battery-staple", 28, 0600);
    w->target->job->access.auth.credentials_file = strdup(scratch_path(dir, "token"));
    LOOPBACK_PLAY(w->server,
                  SEND(OK_HEAD "Content-Length: 45\r\n\r\n"
                               "no, Bearer correct-horse-battery-staple, sorry"),
                  ACCEPT,
                  SEND(OK_HEAD "Content-Length: 29\r\n\r\n"
                               "correct-horse-battery-staple\n"));
    for (int i = 0; i < 2; i++) {
        run(w);
        assert_int_equal(w->result.end, POLLEND_NOT_METRICS);
        assert_null(strstr(w->result.text, "horse"));
        assert_non_null(strstr(w->result.text, REDACTED));
    }
    (void)loopback_join(w->server);
    scratch_free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_page, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_connection_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_page, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancelled, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_secret_that_is_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_secret_that_is_repeated, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
