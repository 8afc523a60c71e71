/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/remote_fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

static void test_put(void **state)
{
    struct world *w = *state;
    const char *request;
    const void *body;
    size_t n;

    PLAY(w, BODY, SEND(OK));
    assert_int_equal(world_put(w), STORE_DONE);
    assert_string_equal(w->result.text, "");
    request = loopback_join(w->server);
    assert_has(request, "PUT /bucket/pre/svc/h/20260314/092653-7.trace HTTP/1.1\r\n");
    assert_has(request, "\r\nContent-Length: 12\r\n");
    assert_has(request, "\r\nx-amz-meta-reason: trigger:%20a%25b\r\n");
    assert_has(request, "Credential=AKONE/");
    assert_lacks(request, "If-None-Match");
    assert_lacks(request, "Expect");
    body = loopback_body(w->server, &n);
    assert_int_equal(n, 12);
    assert_memory_equal(body, HELLO, n);
}

/* What the store says once, and what becomes of a PUT. */
static const struct {
    const char *answer;
    enum store_end end;
    bool trouble;
    unsigned retry_after;
    const char *text; /* has this */
} answers[] = {
    {STATUS("201 Created"), STORE_DONE, false, 0, ""},
    {STATUS("204 No Content"), STORE_DONE, false, 0, ""},
    {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", STORE_RETRY, true, 0, "200"},
    {"HTTP/1.1 200 OK\r\n\r\n<Error><Code>InternalError</Code></Error>", STORE_RETRY, true, 0,
     "200 InternalError"},
    {STATUS("202 Accepted"), STORE_PARKED, false, 0, "202"},
    {"HTTP/1.1 503 Slow\r\nRetry-After: 7\r\n\r\n<Error><Code>SlowDown</Code>"
     "<Message>less\n\x1b[31m</Message><RequestId>4711</RequestId></Error>",
     STORE_RETRY, true, 7, "503 SlowDown"},
    {"HTTP/1.1 503 Slow\r\nRetry-After: nonsense\r\n\r\n<html>\x01ups</html>", STORE_RETRY, true, 0,
     "503: <html>\\x01ups</html>"},
    {"HTTP/1.1 403 No\r\nx-amz-request-id: RQ1\r\n\r\n<Error><Code>AccessDenied</Code>"
     "<Message>no</Message></Error>",
     STORE_PARKED, false, 0, "403 AccessDenied: no, request RQ1; check the credentials"},
    {"HTTP/1.1 404 No\r\n\r\n<Error><Code>NoSuchBucket</Code></Error>", STORE_PARKED, false, 0,
     "404 NoSuchBucket"},
    {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
     STORE_PARKED, false, 0, "redirects are not followed"},
    {STATUS("412 Precondition Failed"), STORE_PARKED, false, 0, "412"},
    {STATUS("413 Too Large"), STORE_REFUSED, false, 0, "does not take objects of this size"},
    {"HTTP/1.1 400 No\r\n\r\n<Error><Code>KeyTooLongError</Code></Error>", STORE_REFUSED, false, 0,
     "400 KeyTooLongError"},
    {"HTTP/1.1 500 No\r\nx-ms-error-code: OperationTimedOut\r\n\r\n", STORE_RETRY, true, 0,
     "500 OperationTimedOut"},
    {"no HTTP at all\r\n\r\n", STORE_RETRY, true, 0, ""},
};

static void test_answers(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        enum store_end end;

        PLAY(w, BODY, SEND(answers[i].answer));
        end = world_put(w);
        if (end != answers[i].end || w->result.trouble != answers[i].trouble)
            fail_msg("\"%s\": %s, %s", answers[i].answer, store_end_name(end), w->result.text);
        assert_int_equal(w->result.retry_after, answers[i].retry_after * USEC_PER_SEC);
        assert_has(w->result.text, answers[i].text);
        for (const char *p = w->result.text; *p; p++)
            assert_in_range(*p, ' ', '~');
        (void)loopback_join(w->server);
    }
}

static void test_connection_lost(void **state)
{
    struct world *w = *state;

    PLAY(w, BODY, RESET);
    assert_int_equal(world_put(w), STORE_RETRY);
    assert_true(w->result.trouble);
    assert_has(w->result.text, "it may have been stored");
    (void)loopback_join(w->server);
    loopback_free(w->server);
    w->server = loopback_new(NULL); /* another port: nobody listens at the old one */
    assert_int_equal(world_put(w), STORE_RETRY);
    assert_true(w->result.trouble);
    assert_has(w->result.text, "refused");
}

/* Ten megabytes of error are not read to their end, and the code before them counts. */
static void test_endless_error(void **state)
{
    static const char part[] = "<!-- and so on, and so on, and so on, and so on -->";
    struct world *w = *state;

    PLAY(w, BODY,
         SEND("HTTP/1.1 400 No\r\nContent-Length: 10000000\r\n\r\n<Error><Code>EntityTooLarge"
              "</Code>"),
         {.what = LOOPBACK_REPEAT, .data = part, .times = 200000});
    assert_int_equal(world_put(w), STORE_REFUSED);
    assert_has(w->result.text, "400 EntityTooLarge");
    (void)loopback_join(w->server);
    PLAY(w, BODY, SEND("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n"),
         {.what = LOOPBACK_REPEAT, .data = part, .times = 200000});
    assert_int_equal(world_put(w), STORE_RETRY);
    assert_true(w->result.trouble);
    (void)loopback_join(w->server);
}

static void test_stall(void **state)
{
    struct world *w = *state;

    w->u.stall_timeout = 200 * USEC_PER_MSEC;
    PLAY(w, BODY, GATE);
    assert_int_equal(world_put(w), STORE_RETRY);
    assert_true(w->result.trouble);
    assert_has(w->result.text, "no byte came or went");
    loopback_open_gate(w->server);
    (void)loopback_join(w->server);
}

#define EXPIRED \
    "HTTP/1.1 400 No\r\nContent-Length: 40\r\n\r\n<Error><Code>ExpiredToken</Code></Error>"

static void rotate(struct world *w, const char *access, const char *secret)
{
    (void)scratch_write(w->dir, "access", access, strlen(access), 0600);
    (void)scratch_write(w->dir, "secret", secret, strlen(secret), 0600);
}

static void test_refresh(void **state)
{
    struct world *w = *state;

    PLAY(w, BODY, SEND(OK));
    assert_int_equal(world_put(w), STORE_DONE);
    assert_has(loopback_join(w->server), "Credential=AKONE/");
    rotate(w, "AKTWO", "secret2");
    PLAY(w, BODY, SEND(EXPIRED), NEXT, BODY, SEND(OK));
    assert_int_equal(world_put(w), STORE_DONE);
    assert_has(loopback_join(w->server), "Credential=AKTWO/");
}

static void test_refresh_in_vain(void **state)
{
    struct world *w = *state;

    PLAY(w, BODY, SEND(OK));
    assert_int_equal(world_put(w), STORE_DONE);
    (void)loopback_join(w->server);
    rotate(w, "AKTWO", "secret2");
    PLAY(w, BODY, SEND(EXPIRED), NEXT, BODY, SEND(EXPIRED));
    assert_int_equal(world_put(w), STORE_PARKED);
    assert_has(w->result.text, "400 ExpiredToken");
    assert_has(loopback_join(w->server), "Credential=AKTWO/");
}

/* There are no others, and the store is not asked again with the same. */
static void test_no_credentials(void **state)
{
    struct world *w = *state;

    assert_int_equal(unlink(w->u.access_key_file), 0);
    assert_int_equal(world_put(w), STORE_PARKED);
    assert_string_not_equal(w->result.text, "");
    assert_int_equal(world_get(w), STORE_PARKED);
}

/* A head with a date so many seconds from now, an error and its code. */
static const char *dated(int ahead, const char *status, const char *code)
{
    static char texts[4][512];
    static unsigned next;
    char *text = texts[next++ % 4], date[64];
    time_t t = (time_t)(clock_real() / USEC_PER_SEC) + ahead;
    struct tm tm;

    assert_non_null(gmtime_r(&t, &tm));
    assert_true(strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0);
    (void)snprintf(text, sizeof(texts[0]),
                   "HTTP/1.1 %s\r\nDate: %s\r\nContent-Length: %zu\r\n\r\n"
                   "<Error><Code>%s</Code></Error>",
                   status, date, strlen(code) + strlen("<Error><Code></Code></Error>"), code);
    return text;
}

/* By how many seconds x-amz-date is ahead of now. */
static int signed_ahead(const char *request)
{
    const char *date = strstr(request, "x-amz-date: ");
    struct tm tm = {0};

    assert_non_null(date);
    assert_non_null(strptime(date + strlen("x-amz-date: "), "%Y%m%dT%H%M%SZ", &tm));
    return (int)(timegm(&tm) - (time_t)(clock_real() / USEC_PER_SEC));
}

static void test_skew(void **state)
{
    struct world *w = *state;

    PLAY(w, BODY, SEND(dated(3600, "403 No", "RequestTimeTooSkewed")), NEXT, BODY, SEND(OK));
    assert_int_equal(world_put(w), STORE_DONE);
    assert_in_range(signed_ahead(loopback_join(w->server)), 3590, 3610);
    PLAY(w, SEND(OK)); /* what was learned holds for all calls */
    assert_int_equal(world_head(w), STORE_DONE);
    assert_in_range(signed_ahead(loopback_join(w->server)), 3590, 3610);
    /* The clock was set right meanwhile. */
    PLAY(w, BODY, SEND(dated(0, "403 No", "RequestTimeTooSkewed")), NEXT, BODY, SEND(OK));
    assert_int_equal(world_put(w), STORE_DONE);
    assert_in_range(signed_ahead(loopback_join(w->server)) + 10, 0, 20);
    PLAY(w, BODY, SEND(dated(3600, "403 No", "RequestTimeTooSkewed")), NEXT, BODY,
         SEND(dated(7200, "403 No", "RequestTimeTooSkewed")));
    assert_int_equal(world_put(w), STORE_PARKED);
    assert_has(w->result.text, "clock");
    (void)loopback_join(w->server);
}

#define ELSEWHERE(region)                                         \
    "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/evil\r\n" \
    "x-amz-bucket-region: " region "\r\nContent-Length: 0\r\n\r\n"

static void test_region(void **state)
{
    struct world *w = *state;

    PLAY(w, BODY, SEND(ELSEWHERE("eu-else-2")), NEXT, BODY, SEND(OK));
    assert_int_equal(world_put(w), STORE_DONE);
    assert_has(loopback_join(w->server), "/eu-else-2/s3/aws4_request");
    PLAY(w, BODY, SEND(OK));
    assert_int_equal(world_put(w), STORE_DONE);
    assert_has(loopback_join(w->server), "/eu-else-2/s3/aws4_request");
    PLAY(w, BODY, SEND(ELSEWHERE("us-one-1")), NEXT, BODY, SEND(ELSEWHERE("us-two-2")));
    assert_int_equal(world_put(w), STORE_PARKED);
    assert_has(w->result.text, "301");
    (void)loopback_join(w->server);
    PLAY(w, BODY, SEND(ELSEWHERE("evil.example.org"))); /* a region's name has no dot */
    assert_int_equal(world_put(w), STORE_PARKED);
    (void)loopback_join(w->server);
}

#define DIGEST "HTTP/1.1 400 No\r\nContent-Length: 37\r\n\r\n<Error><Code>BadDigest</Code></Error>"

static void test_rehash(void **state)
{
    struct world *w = *state;
    struct store_object o = world_file(w, HELLO, strlen(HELLO));

    PLAY(w, BODY, SEND(DIGEST), NEXT, BODY, SEND(OK));
    assert_int_equal(world_put_object(w, &o), STORE_DONE);
    (void)loopback_join(w->server);
    PLAY(w, BODY, SEND(DIGEST), NEXT, BODY, SEND(DIGEST));
    assert_int_equal(world_put_object(w, &o), STORE_RETRY);
    assert_has(w->result.text, "400 BadDigest");
    (void)loopback_join(w->server);
    PLAY(w, BODY, SEND(DIGEST), NEXT, BODY, SEND(OK)); /* of bytes in memory */
    assert_int_equal(world_put(w), STORE_DONE);
    (void)loopback_join(w->server);
    (void)scratch_text(w->dir, "object", "hello, storm");
    PLAY(w, BODY, SEND(DIGEST));
    assert_int_equal(world_put_object(w, &o), STORE_CHANGED);
    (void)loopback_join(w->server);
}

static void test_short_file(void **state)
{
    struct world *w = *state;
    struct store_object o = world_file(w, HELLO, strlen(HELLO));

    o.size = 100;
    PLAY(w, BODY);
    assert_int_equal(world_put_object(w, &o), STORE_CHANGED);
    (void)loopback_join(w->server);
    o.sha256 = NULL;
    assert_int_equal(world_put_object(w, &o), STORE_CHANGED);
}

/* Without a hash it is made first. */
static void test_unknown_hash(void **state)
{
    struct world *w = *state;
    struct store_object o = world_hello();
    char line[128];

    (void)snprintf(line, sizeof(line), "\r\nx-amz-content-sha256: %s\r\n", o.sha256);
    o.sha256 = NULL;
    PLAY(w, BODY, SEND(OK));
    assert_int_equal(world_put_object(w, &o), STORE_DONE);
    assert_has(loopback_join(w->server), line);
    o = world_file(w, HELLO, strlen(HELLO));
    o.sha256 = NULL;
    PLAY(w, BODY, SEND(OK));
    assert_int_equal(world_put_object(w, &o), STORE_DONE);
    assert_has(loopback_join(w->server), line);
    o.size = 0;
    PLAY(w, SEND(OK));
    assert_int_equal(world_put_object(w, &o), STORE_DONE);
    assert_has(loopback_join(w->server), "\r\nContent-Length: 0\r\n");
}

static void test_exists(void **state)
{
    static const char *const other =
        "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855";
    struct world *w = *state;
    const struct store_object o = world_hello();
    const struct {
        const char *size, *sha256, *answer; /* the answer, or a head that says so */
        enum store_end end;
    } rows[] = {
        {"12", o.sha256, NULL, STORE_DONE},
        {"13", o.sha256, NULL, STORE_REFUSED},
        {"12", other, NULL, STORE_REFUSED},
        {"12", "", NULL, STORE_REFUSED},
        {NULL, NULL, "HTTP/1.1 404 No\r\n\r\n", STORE_RETRY},
        {NULL, NULL, "HTTP/1.1 403 No\r\n\r\n", STORE_REFUSED},
        {NULL, NULL, "HTTP/1.1 500 No\r\n\r\n", STORE_RETRY},
    };

    w->u.if_none_match = true;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        PLAY(w, BODY, SEND(STATUS("412 There")), NEXT,
             SEND(rows[i].answer ? rows[i].answer
                                 : world_object_head(rows[i].size, rows[i].sha256)));
        assert_int_equal(world_put_object(w, &o), rows[i].end);
        assert_int_equal(w->result.text[0] == '\0', rows[i].end == STORE_DONE);
        assert_has(loopback_join(w->server), "HEAD /bucket/pre/svc/h/20260314/092653-7.trace ");
    }
}

/* A server of files keeps no meta data: what is there with that size is what was sent before. */
static void test_exists_without_meta(void **state)
{
    const struct {
        const char *head;
        enum store_end end;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", STORE_DONE},
        {"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n", STORE_REFUSED},
        {"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nx-contrace-sha256: "
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\n\r\n",
         STORE_REFUSED},
        {"HTTP/1.1 200 OK\r\n\r\n", STORE_REFUSED},
    };
    struct world *w = *state;
    const struct store_object o = world_hello();
    const struct upload_config u = w->u;

    w->u = (struct upload_config){.url = w->endpoint, .concurrency = 4, .if_none_match = true};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        PLAY(w, BODY, SEND(STATUS("412 There")), NEXT, SEND(rows[i].head));
        assert_int_equal(world_put_object(w, &o), rows[i].end);
        assert_has(loopback_join(w->server), "HEAD /svc/h/20260314/092653-7.trace ");
    }
    w->u = u;
}

static void test_conditional(void **state)
{
    struct world *w = *state;
    struct store_object o = world_hello();

    w->u.if_none_match = true;
    PLAY(w, BODY, SEND(OK));
    assert_int_equal(world_put_object(w, &o), STORE_DONE);
    assert_has(loopback_join(w->server), "\r\nIf-None-Match: *\r\n");
    o.replace = true;
    PLAY(w, BODY, SEND(OK));
    assert_int_equal(world_put_object(w, &o), STORE_DONE);
    assert_lacks(loopback_join(w->server), "If-None-Match");
    /* Then there is nothing to compare with. */
    PLAY(w, BODY, SEND(STATUS("412 There")));
    assert_int_equal(world_put_object(w, &o), STORE_PARKED);
    (void)loopback_join(w->server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_put, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_answers, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_connection_lost, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_endless_error, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_stall, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_refresh, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_refresh_in_vain, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_no_credentials, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_skew, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_region, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_rehash, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_short_file, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_unknown_hash, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_exists, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_exists_without_meta, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_conditional, world_setup, world_teardown),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
