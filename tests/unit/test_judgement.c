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

#include "daemon/artifact/artifacts.h"
#include "daemon/capture/judgement.h"
#include "tests/support/traces.h"
#include "trace/framing.h"

#define WINDOW (2 * USEC_PER_SEC)
#define NS_PER_SEC UINT64_C(1000000000)

/* What an answer with this status, body and time comes to, when this kind was asked for. */
static void refused_as(enum kind kind, long status, const char *body, size_t n, usec taken,
                       struct capture_result *r, char *text)
{
    const struct http_result http = {.status = status, .taken = taken};
    const struct evidence e = {.artifact = artifacts_of_kind(kind),
                               .http = &http,
                               .head = body,
                               .head_len = n,
                               .window = WINDOW};
    struct buf b;

    buf_init(&b, CAPTURE_TEXT_MAX - 1);
    *r = (struct capture_result){0};
    judgement_refused(&e, r, &b);
    (void)snprintf(text, CAPTURE_TEXT_MAX, "%s", buf_str(&b));
    buf_done(&b);
}

static void refused(long status, const char *body, size_t n, usec taken, struct capture_result *r,
                    char *text)
{
    refused_as(KIND_TRACE, status, body, n, taken, r, text);
}

static void assert_hint(const struct capture_result *r, const char *words)
{
    if (!words) {
        assert_null(r->hint);
        return;
    }
    assert_non_null(r->hint);
    if (*words == '\0')
        assert_string_equal(r->hint, "");
    assert_non_null(strstr(r->hint, words));
}

/* A process has one tracer, and one CPU profiler. */
static void test_taken(void **state)
{
    static const char tracing[] = "Could not enable tracing: tracing is already enabled\n";
    static const char profiling[] =
        "Could not enable CPU profiling: cpu profiling already in use\n";
    static const struct {
        enum kind kind;
        long status;
        const char *body;
        enum outcome outcome;
    } rows[] = {
        {KIND_TRACE, 500, tracing, OUTCOME_BUSY},
        {KIND_CPU, 500, profiling, OUTCOME_IN_USE},
        {KIND_TRACE, 500, profiling, OUTCOME_HTTP_STATUS},
        {KIND_CPU, 500, tracing, OUTCOME_HTTP_STATUS},
        {KIND_CPU, 503, profiling, OUTCOME_HTTP_STATUS},
        {KIND_MUTEX, 500, profiling, OUTCOME_HTTP_STATUS},
        {KIND_CPU, 404, "404 page not found\n", OUTCOME_MISSING},
    };
    struct capture_result r;
    char text[CAPTURE_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        refused_as(rows[i].kind, rows[i].status, rows[i].body, strlen(rows[i].body), USEC_PER_MSEC,
                   &r, text);
        assert_int_equal(r.outcome, rows[i].outcome);
    }
}

/* A recorder that cannot give a recording yet is no failure; nothing else may wait. */
static void test_not_ready(void **state)
{
    static const char body[] = "flight: the recorder has just started, by this request\n";
    static const struct {
        enum kind kind;
        long status;
        enum outcome outcome;
    } rows[] = {
        {KIND_FLIGHT, 503, OUTCOME_NOT_READY},   {KIND_FLIGHT, 429, OUTCOME_NOT_READY},
        {KIND_FLIGHT, 500, OUTCOME_HTTP_STATUS}, {KIND_TRACE, 503, OUTCOME_HTTP_STATUS},
        {KIND_HEAP, 503, OUTCOME_HTTP_STATUS},
    };
    struct capture_result r;
    char text[CAPTURE_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        refused_as(rows[i].kind, rows[i].status, body, sizeof(body) - 1, USEC_PER_MSEC, &r, text);
        assert_int_equal(r.outcome, rows[i].outcome);
        if (r.outcome == OUTCOME_NOT_READY)
            assert_hint(&r, NULL);
    }
}

/* Whoever gave the path is not told to give it by other means. */
static void test_own_path(void **state)
{
    const struct http_result http = {.status = 404, .taken = USEC_PER_MSEC};

    (void)state;
    for (int own = 0; own < 2; own++) {
        const struct evidence e = {
            .artifact = artifacts_of_kind(KIND_HEAP), .http = &http, .head = "", .own_path = own};
        struct capture_result r = {0};
        struct buf b;

        buf_init(&b, CAPTURE_TEXT_MAX - 1);
        judgement_refused(&e, &r, &b);
        assert_int_equal(r.outcome, OUTCOME_MISSING);
        assert_hint(&r, own ? "`artifacts`" : NULL);
        buf_done(&b);
    }
}

/* Handlers and gateways that wait and give up say so by status and time. */
static void test_gave_up(void **state)
{
    static const struct {
        long status;
        usec taken;
        const char *hint;
    } rows[] = {
        {503, USEC_PER_SEC, "http.TimeoutHandler"},
        {504, USEC_PER_SEC, "proxy"},
        {502, USEC_PER_SEC, "proxy"},
        {503, USEC_PER_MSEC, NULL},
        {404, USEC_PER_SEC, NULL},
    };
    struct capture_result r;
    char text[CAPTURE_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        refused(rows[i].status, "no", 2, rows[i].taken, &r, text);
        assert_int_equal(r.outcome, OUTCOME_HTTP_STATUS);
        assert_hint(&r, rows[i].hint);
        assert_int_equal(strstr(text, "after 1 s of the 2 s") != NULL, rows[i].hint != NULL);
    }
    refused(400, "Client sent an HTTP request to an HTTPS server.\n", 48, USEC_PER_MSEC, &r, text);
    assert_hint(&r, "scheme: https");
}

/* An end before its time is not that of a service that restarted. */
static void test_closed_early(void **state)
{
    static const struct {
        usec taken;
        const char *hint;
    } rows[] = {{USEC_PER_SEC, "WriteTimeout"},
                {1790 * USEC_PER_MSEC, "WriteTimeout"},
                {WINDOW, "WriteTimeout"},
                {5 * USEC_PER_SEC, NULL},
                {USEC_PER_MSEC, "h2c"}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct http_result http = {
            .error = HTTP_CLOSED, .text = "Empty reply from server", .taken = rows[i].taken};
        const struct evidence e = {
            .artifact = artifacts_of_kind(KIND_TRACE), .http = &http, .window = WINDOW};
        struct capture_result r = {0};
        struct buf b;

        buf_init(&b, CAPTURE_TEXT_MAX - 1);
        judgement_refused(&e, &r, &b);
        assert_int_equal(r.outcome, OUTCOME_CLOSED);
        assert_hint(&r, rows[i].hint);
        assert_int_equal(strncmp(buf_str(&b), "Empty reply from server", 23), 0);
        assert_int_equal(strstr(buf_str(&b), "of the 2 s that were asked for") != NULL,
                         rows[i].hint && strcmp(rows[i].hint, "WriteTimeout") == 0);
        buf_done(&b);
    }
}

/* What the artifact says of a body of these bytes. */
static void look(const void *data, size_t n, bool clean, usec taken, struct artifact_facts *ret)
{
    static const struct artifact_sink nobody = {0};
    const struct artifact *a = artifacts_of_kind(KIND_TRACE);
    void *body = calloc(1, a->body->size);
    size_t good;

    assert_non_null(body);
    assert_int_equal(a->body->init(body, a, &nobody), 0);
    (void)a->body->feed(body, data, n, &good);
    a->body->finish(body, clean, taken, taken, ret);
    a->body->done(body);
    free(body);
}

static void judge_trace(const struct trace *t, enum http_error error, usec taken,
                        struct capture_result *r)
{
    const struct http_result http = {
        .error = error, .status = 200, .delimited = true, .taken = taken};
    struct artifact_facts facts;
    struct evidence e = {.artifact = artifacts_of_kind(KIND_TRACE),
                         .http = &http,
                         .facts = &facts,
                         .written = t->n,
                         .window = WINDOW};
    struct buf b;

    look(t->data, t->n, error == HTTP_OK, taken, &facts);
    assert_true(facts.end == ARTIFACT_WHOLE || facts.end == ARTIFACT_PART);
    buf_init(&b, CAPTURE_TEXT_MAX - 1);
    *r = (struct capture_result){.bytes = facts.bytes, .facts = facts};
    judgement_kept(&e, r, &b);
    (void)snprintf(r->text, sizeof(r->text), "%s", buf_str(&b));
    buf_done(&b);
}

/* What must be set is said, whether generations were kept or not. */
static void test_over_size(void **state)
{
    const struct http_result http = {.error = HTTP_ABORTED, .status = 200, .taken = WINDOW};
    struct trace t;

    (void)state;
    traces_make_timed(&t, 26, 2, NS_PER_SEC);
    for (size_t n = 100; n <= t.n - 1; n += t.n - 101) {
        struct capture_result r = {0};
        struct artifact_facts facts;
        struct evidence e = {.artifact = artifacts_of_kind(KIND_TRACE),
                             .http = &http,
                             .facts = &facts,
                             .written = n,
                             .cut_by = "size_limit"};
        struct buf b;

        look(t.data, n, false, WINDOW, &facts);
        buf_init(&b, CAPTURE_TEXT_MAX - 1);
        if (facts.end == ARTIFACT_NOTHING)
            judgement_nothing(&e, &r, &b);
        else
            judgement_kept(&e, &r, &b);
        assert_int_equal(r.outcome, n == 100 ? OUTCOME_INCOMPLETE : OUTCOME_TRUNCATED);
        assert_int_equal(strncmp(buf_str(&b), "cut by size_limit after ", 24), 0);
        assert_hint(&r, n == 100 ? "must have room for a generation" : "make `seconds` shorter");
        buf_clear(&b);
        e.artifact = artifacts_of_kind(KIND_FLIGHT);
        if (facts.end != ARTIFACT_NOTHING) {
            judgement_kept(&e, &r, &b);
            assert_hint(&r, "the newest part is missing");
        }
        buf_done(&b);
    }
    traces_done(&t);
}

/* By the trace's own clock, in each format that has one. */
static void test_short(void **state)
{
    static const unsigned minors[] = {22, 23, 25, 26};
    static const struct {
        uint64_t span;
        usec taken;
        enum outcome outcome;
        const char *hint;
    } rows[] = {
        {NS_PER_SEC / 2, USEC_PER_SEC / 2, OUTCOME_SHORT, "WriteTimeout"},
        {NS_PER_SEC / 2, WINDOW, OUTCOME_SHORT,
         NULL}, /* it ended late, and is short all the same */
        {NS_PER_SEC * 2, WINDOW, OUTCOME_OK, NULL},
        {NS_PER_SEC * 19 / 10, WINDOW, OUTCOME_OK, NULL},   /* clocks may differ */
        {NS_PER_SEC * 10, USEC_PER_MSEC, OUTCOME_OK, NULL}, /* a flight recording: at once */
        {0, USEC_PER_MSEC, OUTCOME_OK, NULL},               /* not known */
        {NS_PER_SEC << 33, WINDOW, OUTCOME_OK, NULL},       /* nonsense */
    };
    struct capture_result r;

    (void)state;
    for (size_t m = 0; m < sizeof(minors) / sizeof(minors[0]); m++) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct trace t;

            traces_make_timed(&t, minors[m], 2, rows[i].span);
            judge_trace(&t, HTTP_OK, rows[i].taken, &r);
            assert_int_equal(r.outcome, rows[i].outcome);
            assert_hint(&r, rows[i].hint);
            if (r.outcome == OUTCOME_SHORT) {
                assert_string_equal(r.cut_by, "short");
                assert_int_equal(r.facts.span, USEC_PER_SEC / 2);
                assert_string_equal(r.text, "it spans 0.5 s of the 2 s that were asked for");
            }
            traces_done(&t);
        }
    }
}

/* The span is that of whole generations, however the trace comes in pieces. */
static void test_span_of_what_is_whole(void **state)
{
    static const unsigned minors[] = {22, 26};

    (void)state;
    for (size_t m = 0; m < 2; m++) {
        struct trace t;

        traces_make_timed(&t, minors[m], 3, NS_PER_SEC * 3);
        for (size_t n = 16; n <= t.n; n++) {
            struct framing f;
            size_t whole = 0;

            framing_init(&f, NULL);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(framing_feed(&f, t.data + i, 1), 0);
            (void)framing_finish(&f, false);
            while (whole < t.n_ends && t.ends[whole] <= f.whole_bytes)
                whole++;
            assert_true(framing_span(&f) == (double)whole);
        }
        traces_done(&t);
    }
}

/* A trace of Go before 1.22 is as long as the request took. */
static void test_short_and_old(void **state)
{
    static uint8_t bytes[] = "go 1.21 trace\0\0\0whatever";
    const struct trace t = {.data = bytes, .n = sizeof(bytes) - 1};
    struct capture_result r;

    (void)state;
    judge_trace(&t, HTTP_OK, USEC_PER_SEC, &r);
    assert_int_equal(r.outcome, OUTCOME_SHORT);
    assert_int_equal(r.facts.span, USEC_PER_SEC);
    judge_trace(&t, HTTP_OK, WINDOW, &r);
    assert_int_equal(r.outcome, OUTCOME_OK);
}

/* Cut, and kept: what was kept spans less, and an early end names its cause. */
static void test_truncated(void **state)
{
    struct capture_result r;
    struct trace t;

    (void)state;
    traces_make_timed(&t, 26, 4, NS_PER_SEC * 2);
    t.n = t.ends[1] + 10;
    judge_trace(&t, HTTP_CLOSED, USEC_PER_SEC, &r);
    assert_int_equal(r.outcome, OUTCOME_TRUNCATED);
    assert_int_equal(r.facts.span, USEC_PER_SEC);
    assert_hint(&r, "WriteTimeout");
    judge_trace(&t, HTTP_CLOSED, 2 * WINDOW, &r);
    assert_hint(&r, NULL);
    traces_done(&t);
}

/* What the judgement of a profile is, by what its body said; window 0: it is a snapshot. */
static void judge_as(enum kind kind, usec window, const struct artifact_facts *facts,
                     struct capture_result *r)
{
    const struct http_result http = {.status = 200, .delimited = true, .taken = USEC_PER_MSEC};
    const struct evidence e = {.artifact = artifacts_of_kind(kind),
                               .http = &http,
                               .facts = facts,
                               .head = "\x1f\x8b",
                               .head_len = 2,
                               .window = window};
    struct buf b;

    buf_init(&b, CAPTURE_TEXT_MAX - 1);
    *r = (struct capture_result){0};
    if (facts->end == ARTIFACT_WHOLE)
        judgement_kept(&e, r, &b);
    else
        judgement_nothing(&e, r, &b);
    (void)snprintf(r->text, sizeof(r->text), "%s", buf_str(&b));
    buf_done(&b);
}

/* What answers at a place that the job names says how that is meant. */
static void test_place(void **state)
{
    static const struct {
        enum kind kind;
        long status;
        enum outcome outcome;
        const char *hint;
    } rows[] = {
        {KIND_FLIGHT, 302, OUTCOME_REDIRECT, "a viewer of it"},
        {KIND_FLIGHT, 404, OUTCOME_MISSING, "a viewer of it"},
        {KIND_FLIGHT, 405, OUTCOME_HTTP_STATUS, "by its method"},
        {KIND_FLIGHT, 401, OUTCOME_UNAUTHORIZED, NULL},
        {KIND_FLIGHT, 500, OUTCOME_HTTP_STATUS, ""}, /* it is the place, and says why not now */
        {KIND_TRACE, 302, OUTCOME_REDIRECT, NULL},
        {KIND_HEAP, 404, OUTCOME_MISSING, NULL},
    };
    const struct artifact_facts facts = {.end = ARTIFACT_FOREIGN};
    struct capture_result r;
    char text[CAPTURE_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        refused_as(rows[i].kind, rows[i].status, "no", 2, USEC_PER_MSEC, &r, text);
        assert_int_equal(r.outcome, rows[i].outcome);
        assert_hint(&r, rows[i].hint);
    }
    judge_as(KIND_FLIGHT, 0, &facts, &r);
    assert_int_equal(r.outcome, OUTCOME_NOT_A_TRACE);
    assert_int_equal(strncmp(r.text, "the answer is not a flight recording but ", 41), 0);
    assert_hint(&r, "compressed"); /* as its first bytes show */
}

static void judge_profile(const struct artifact_facts *facts, struct capture_result *r)
{
    judge_as(KIND_MUTEX, WINDOW, facts, r);
}

/* It says nothing of a duration, and nobody asked for one. */
static void test_snapshot(void **state)
{
    struct artifact_facts facts = {.end = ARTIFACT_WHOLE, .since_start = true, .count = 1};
    struct capture_result r;

    (void)state;
    judge_as(KIND_HEAP, 0, &facts, &r);
    assert_int_equal(r.outcome, OUTCOME_OK);
    assert_string_equal(r.text, "");
    assert_null(r.cut_by);
    facts.empty = true;
    judge_as(KIND_GOROUTINELEAK, 0, &facts, &r);
    assert_int_equal(r.outcome, OUTCOME_EMPTY);
    assert_hint(&r, "no goroutine waits");
}

/* `seconds` has no part in how long a snapshot takes. */
static void test_snapshot_fails(void **state)
{
    static const struct http_result gave_up = {.status = 504, .taken = 300 * USEC_PER_MSEC};
    static const struct http_result closed = {.error = HTTP_CLOSED, .taken = 300 * USEC_PER_MSEC};
    struct evidence e = {
        .artifact = artifacts_of_kind(KIND_HEAP), .http = &gave_up, .head = (const void *)""};
    struct capture_result r = {0};
    struct buf b;

    (void)state;
    buf_init(&b, CAPTURE_TEXT_MAX - 1);
    judgement_refused(&e, &r, &b);
    assert_int_equal(r.outcome, OUTCOME_HTTP_STATUS);
    assert_null(r.hint);
    e.http = &closed;
    judgement_refused(&e, &r, &b);
    assert_int_equal(r.outcome, OUTCOME_CLOSED);
    assert_null(r.hint);
    assert_null(strstr(buf_str(&b), "asked for"));
    buf_done(&b);
}

static void test_profile_since_start(void **state)
{
    struct artifact_facts facts = {.end = ARTIFACT_WHOLE, .since_start = true, .count = 1};
    struct capture_result r;

    (void)state;
    for (int i = 0; i < 2; i++) {
        judge_profile(&facts, &r);
        assert_int_equal(r.outcome, OUTCOME_SHORT);
        assert_string_equal(r.cut_by, "short");
        assert_string_equal(r.text, "the mutex profile is since the start of the process: the "
                                    "server ignored ?seconds=");
        assert_hint(&r, "does it get `seconds`");
        facts.span = 100 * WINDOW;
    }
    facts.empty = true;
    judge_profile(&facts, &r);
    assert_int_equal(r.outcome, OUTCOME_EMPTY);
    assert_null(r.cut_by);
    assert_non_null(strstr(r.text, "ignored ?seconds="));
    assert_hint(&r, "SetMutexProfileFraction");
    facts = (struct artifact_facts){.end = ARTIFACT_WHOLE, .span = WINDOW, .count = 1};
    judge_profile(&facts, &r);
    assert_int_equal(r.outcome, OUTCOME_OK);
    assert_string_equal(r.text, "");
}

static void test_other_profile(void **state)
{
    struct artifact_facts facts = {.end = ARTIFACT_FOREIGN, .found = "inuse_space"};
    struct capture_result r;

    (void)state;
    judge_profile(&facts, &r);
    assert_int_equal(r.outcome, OUTCOME_NOT_A_PROFILE);
    assert_string_equal(r.text, "the answer is not a mutex profile but a profile of inuse_space");
    (void)snprintf(facts.found, sizeof(facts.found), "a\nb");
    judge_profile(&facts, &r);
    assert_null(strchr(r.text, '\n'));
}

/* Who speaks something else than was expected. */
static void test_other_protocols(void **state)
{
    static const struct {
        enum http_error error;
        const char *text, *hint;
    } rows[] = {
        {HTTP_TLS, "OpenSSL/3.0.19: error:0A00010B:SSL routines::wrong version number", "no TLS"},
        {HTTP_TLS, "certificate has expired", NULL},
        {HTTP_PROTOCOL, "Received HTTP/0.9 when not allowed", "h2c"},
        {HTTP_PROTOCOL, "Header without colon", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_result http = {.error = rows[i].error};
        const struct evidence e = {
            .artifact = artifacts_of_kind(KIND_TRACE), .http = &http, .window = WINDOW};
        struct capture_result r = {0};
        struct buf b;

        (void)snprintf(http.text, sizeof(http.text), "%s", rows[i].text);
        buf_init(&b, CAPTURE_TEXT_MAX - 1);
        judgement_refused(&e, &r, &b);
        assert_hint(&r, rows[i].hint);
        buf_done(&b);
    }
}

/* An answer that is compressed although nobody asked for it. */
static void test_compressed(void **state)
{
    static const struct {
        const char *body;
        const char *hint;
    } rows[] = {{"\x1f\x8b\x08", "compressed"},
                {"\x28\xb5\x2f\xfd", "compressed"},
                {"<html>\x1f\x8b", NULL}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct http_result http = {.error = HTTP_ABORTED, .status = 200};
        struct artifact_facts facts;
        const struct evidence e = {.artifact = artifacts_of_kind(KIND_TRACE),
                                   .http = &http,
                                   .facts = &facts,
                                   .head = rows[i].body,
                                   .head_len = strlen(rows[i].body),
                                   .window = WINDOW};
        struct capture_result r = {0};
        struct buf b;

        look(rows[i].body, strlen(rows[i].body), false, 0, &facts);
        buf_init(&b, CAPTURE_TEXT_MAX - 1);
        judgement_nothing(&e, &r, &b);
        assert_int_equal(r.outcome, OUTCOME_NOT_A_TRACE);
        assert_hint(&r, rows[i].hint);
        buf_done(&b);
    }
}

/* A profile is kept whole or not at all, and need not be there. */
static void test_profile(void **state)
{
    static const struct {
        long status;
        enum http_error error;
        struct artifact_facts facts;
        const char *head, *cut_by;
        enum outcome outcome;
        const char *text, *hint;
    } rows[] = {
        {404,
         HTTP_OK,
         {0},
         "Unknown profile\n",
         NULL,
         OUTCOME_MISSING,
         "HTTP status 404: \"Unknown profile\"",
         NULL},
        {200,
         HTTP_OK,
         {.end = ARTIFACT_WHOLE, .count = 3, .span = WINDOW},
         "\x1f\x8b",
         NULL,
         OUTCOME_OK,
         "",
         NULL},
        {200,
         HTTP_CLOSED,
         {.end = ARTIFACT_WHOLE, .count = 3},
         "\x1f\x8b",
         NULL,
         OUTCOME_OK,
         "",
         NULL}, /* gzip's trailer vouches for it */
        {200,
         HTTP_OK,
         {.end = ARTIFACT_WHOLE, .empty = true},
         "\x1f\x8b",
         NULL,
         OUTCOME_EMPTY,
         "",
         "SetMutexProfileFraction"},
        {200,
         HTTP_ABORTED,
         {.end = ARTIFACT_FOREIGN},
         "<html>",
         NULL,
         OUTCOME_NOT_A_PROFILE,
         "the answer is not a mutex profile but \"<html>\"",
         NULL},
        {200,
         HTTP_OK,
         {.end = ARTIFACT_NOTHING},
         "\x1f\x8b",
         NULL,
         OUTCOME_INCOMPLETE,
         "the mutex profile ended after 7 bytes; a mutex profile is kept whole or not at all",
         NULL},
        {200,
         HTTP_ABORTED,
         {.end = ARTIFACT_NOTHING, .error = "its compression is damaged"},
         "\x1f\x8b",
         NULL,
         OUTCOME_INCOMPLETE,
         "its compression is damaged after 7 bytes; a mutex profile is kept whole or not at all",
         NULL},
        {200,
         HTTP_ABORTED,
         {.end = ARTIFACT_NOTHING},
         "\x1f\x8b",
         "size_limit",
         OUTCOME_INCOMPLETE,
         "cut by size_limit after 7 bytes; a mutex profile is kept whole or not at all",
         NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct http_result http = {
            .status = rows[i].status, .error = rows[i].error, .delimited = true, .taken = WINDOW};
        const struct evidence e = {.artifact = artifacts_find("mutex"),
                                   .http = &http,
                                   .facts = &rows[i].facts,
                                   .head = rows[i].head,
                                   .head_len = strlen(rows[i].head),
                                   .written = 7,
                                   .window = WINDOW,
                                   .cut_by = rows[i].cut_by};
        struct capture_result r = {0};
        struct buf b;

        buf_init(&b, CAPTURE_TEXT_MAX - 1);
        if (rows[i].status != 200)
            judgement_refused(&e, &r, &b);
        else if (rows[i].facts.end == ARTIFACT_WHOLE)
            judgement_kept(&e, &r, &b);
        else
            judgement_nothing(&e, &r, &b);
        assert_int_equal(r.outcome, rows[i].outcome);
        assert_string_equal(buf_str(&b), rows[i].text);
        assert_hint(&r, rows[i].hint);
        assert_null(r.cut_by);
        buf_done(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_not_ready),
        cmocka_unit_test(test_own_path),
        cmocka_unit_test(test_gave_up),
        cmocka_unit_test(test_closed_early),
        cmocka_unit_test(test_over_size),
        cmocka_unit_test(test_short),
        cmocka_unit_test(test_short_and_old),
        cmocka_unit_test(test_span_of_what_is_whole),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_other_protocols),
        cmocka_unit_test(test_compressed),
        cmocka_unit_test(test_profile),
        cmocka_unit_test(test_snapshot),
        cmocka_unit_test(test_snapshot_fails),
        cmocka_unit_test(test_profile_since_start),
        cmocka_unit_test(test_other_profile),
    };

    return cmocka_run_group_tests_name("judgement", tests, NULL, NULL);
}
