/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/remote_fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define BIG (3u << 20)

static void test_head(void **state)
{
    struct world *w = *state;

    PLAY(w, SEND(world_object_head("70000000000", world_hello().sha256)));
    assert_int_equal(world_head(w), STORE_DONE);
    assert_int_equal(w->result.size, 70000000000);
    assert_string_equal(w->result.sha256, world_hello().sha256);
    (void)loopback_join(w->server);
    PLAY(w, SEND(world_object_head("1", "no hash")));
    assert_int_equal(world_head(w), STORE_DONE);
    assert_string_equal(w->result.sha256, "");
    (void)loopback_join(w->server);
    PLAY(w, SEND("HTTP/1.1 404 No\r\n\r\n"));
    assert_int_equal(world_head(w), STORE_MISSING);
    (void)loopback_join(w->server);
}

static void test_get(void **state)
{
    static const struct {
        const char *answer;
        enum store_end end;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde", STORE_DONE},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
         STORE_DONE},
        {"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcde", STORE_RETRY},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n", STORE_RETRY},
        {"HTTP/1.1 200 OK\r\n\r\nabcde", STORE_RETRY}, /* whole or not: nobody knows */
        {"HTTP/1.1 206 Part\r\nContent-Length: 5\r\n\r\nabcde", STORE_RETRY},
        {"HTTP/1.1 404 No\r\n\r\n<Error><Code>NoSuchKey</Code></Error>", STORE_MISSING},
        {"HTTP/1.1 404 No\r\n\r\n<Error><Code>NoSuchBucket</Code></Error>", STORE_PARKED},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        PLAY(w, SEND(rows[i].answer));
        assert_int_equal(world_get(w), rows[i].end);
        if (rows[i].end == STORE_DONE) {
            assert_string_equal(w->got, "abcde");
            assert_int_equal(w->result.size, 5);
        }
        assert_int_equal(strstr(w->result.text, "a part") != NULL,
                         strstr(rows[i].answer, "206") != NULL);
        assert_has(loopback_join(w->server), "GET /bucket/pre/k HTTP/1.1\r\n");
    }
    w->refuse = -ENOSPC;
    PLAY(w, SEND(rows[0].answer));
    assert_int_equal(world_get(w), STORE_LOCAL);
    assert_string_equal(w->result.text, "No space left on device");
    (void)loopback_join(w->server);
}

/* A page with its length. */
static const char *page(const char *inside)
{
    static char texts[4][2048];
    static unsigned next;
    char *text = texts[next++ % 4];

    (void)snprintf(text, sizeof(texts[0]),
                   "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n"
                   "<ListBucketResult>%s</ListBucketResult>",
                   strlen(inside) + strlen("<ListBucketResult></ListBucketResult>"), inside);
    return text;
}

#define OBJECT(key, size)                     \
    "<Contents><Key>" key "</Key><Size>" size \
    "</Size><LastModified>1970-01-01T00:01:00Z</LastModified></Contents>"
#define MORE(token) \
    "<IsTruncated>true</IsTruncated><NextContinuationToken>" token "</NextContinuationToken>"

static void test_list(void **state)
{
    struct world *w = *state;

    PLAY(w,
         SEND(page("<EncodingType>url</EncodingType>" MORE("to/k=n") OBJECT("pre/s1", "5")
                       OBJECT("pre/s+%2B%252", "6") OBJECT("pre/", "0") OBJECT("other", "1"))),
         NEXT, SEND(page(OBJECT("pre/s+3", "7"))));
    assert_int_equal(world_list(w, NULL), STORE_DONE);
    assert_string_equal(w->got, "s1:5:60|s +%2:6:60|s+3:7:60|");
    assert_has(loopback_join(w->server),
               "GET /bucket?continuation-token=to%2Fk%3Dn&encoding-type=url&list-type=2&"
               "max-keys=1000&prefix=pre%2Fs HTTP/1.1\r\n");
    PLAY(w, SEND(page(OBJECT("pre/s1", "5") OBJECT("pre/s2", "6") OBJECT("pre/s3", "7"))));
    assert_int_equal(world_list(w, "s2"), STORE_DONE);
    assert_string_equal(w->got, "s3:7:60|");
    assert_has(loopback_join(w->server), "&start-after=pre%2Fs2 ");
}

static void test_list_goes_wrong(void **state)
{
    static const struct {
        const char *answer;
        enum store_end end;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde", STORE_RETRY},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", STORE_RETRY},
        {"HTTP/1.1 200 OK\r\n\r\n<ListBucketResult>" OBJECT("pre/s1", "5"), STORE_RETRY},
        {"HTTP/1.1 200 OK\r\n\r\n<ListBucketResult>" OBJECT(
             "pre/s1", "5") "<IsTruncated>true"
                            "</IsTruncated></ListBucketResult>",
         STORE_RETRY},
        {"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", STORE_PARKED},
        {"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", STORE_RETRY},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        PLAY(w, SEND(rows[i].answer));
        assert_int_equal(world_list(w, NULL), rows[i].end);
        assert_string_equal(w->got, "");
        assert_string_not_equal(w->result.text, "");
        (void)loopback_join(w->server);
    }
    PLAY(w, SEND(page(MORE("t"))), NEXT, SEND(page(MORE("t"))));
    assert_int_equal(world_list(w, NULL), STORE_RETRY);
    assert_has(w->result.text, "no end");
    (void)loopback_join(w->server);
    w->refuse = -ECANCELED;
    PLAY(w, SEND(page(OBJECT("pre/s1", "5"))));
    assert_int_equal(world_list(w, NULL), STORE_LOCAL);
    (void)loopback_join(w->server);
}

static void test_large(void **state)
{
    struct world *w = *state;
    char *data = malloc(BIG);
    struct store_object o;
    const void *body;
    size_t n;

    assert_non_null(data);
    memset(data, 'x', BIG);
    o = world_file(w, data, BIG);
    o.sha256 = NULL;
    PLAY(w, SEND("HTTP/1.1 100 Continue\r\n\r\n"), BODY, SEND(OK));
    assert_int_equal(world_put_object(w, &o), STORE_DONE);
    assert_has(loopback_join(w->server), "\r\nExpect: 100-continue\r\n");
    body = loopback_body(w->server, &n);
    assert_int_equal(n, BIG);
    assert_memory_equal(body, data, n);
    free(data);
}

/* One that refuses to be asked gets the body at once, from then on. */
static void test_expectation_failed(void **state)
{
    struct world *w = *state;
    char *data = calloc(1, BIG);
    struct store_object o;

    assert_non_null(data);
    o = world_file(w, data, BIG);
    PLAY(w, SEND(STATUS("417 No")), {.what = LOOPBACK_ACCEPT}, BODY, SEND(OK));
    assert_int_equal(world_put_object(w, &o), STORE_DONE);
    assert_lacks(loopback_join(w->server), "Expect");
    PLAY(w, BODY, SEND(OK));
    assert_int_equal(world_put_object(w, &o), STORE_DONE);
    assert_lacks(loopback_join(w->server), "Expect");
    PLAY(w, BODY, SEND(STATUS("417 No"))); /* to what was never asked */
    assert_int_equal(world_put_object(w, &o), STORE_RETRY);
    (void)loopback_join(w->server);
    free(data);
}

#define UNKNOWN                                                                                 \
    "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n<Error><Code>InvalidArgument</Code>"  \
    "<Message>Unsupported header 'x-amz-checksum-sha256' received for this API call.</Message>" \
    "</Error>"

/* A store that does not know the header for the hash gets the object without it, and no other. */
static void test_checksum(void **state)
{
    struct world *w = *state;
    struct store_object o;

    w->u.checksum = true;
    o = world_file(w, "hello", 5);
    PLAY(w, BODY, SEND(OK));
    assert_int_equal(world_put_object(w, &o), STORE_DONE);
    assert_non_null(strstr(loopback_join(w->server), "\r\nx-amz-checksum-sha256: "));
    PLAY(w, BODY, SEND(UNKNOWN), {.what = LOOPBACK_ACCEPT}, BODY, SEND(UNKNOWN));
    assert_int_equal(world_put_object(w, &o), STORE_PARKED);
    PLAY(w, BODY, SEND(UNKNOWN), {.what = LOOPBACK_ACCEPT}, BODY, SEND(OK));
    assert_int_equal(world_put_object(w, &o), STORE_DONE);
    assert_lacks(loopback_join(w->server), "x-amz-checksum-sha256");
    PLAY(w, BODY, SEND(OK));
    assert_int_equal(world_put_object(w, &o), STORE_DONE);
    assert_lacks(loopback_join(w->server), "x-amz-checksum-sha256");
}

static void test_rate_is_shared(void **state)
{
    struct world *w = *state;
    char *data = calloc(1, 60000);
    struct store_object o;
    usec start = clock_monotonic();

    assert_non_null(data);
    w->u.max_rate = 240000;
    o = world_file(w, data, 60000);
    o.sha256 = NULL;
    PLAY(w, BODY, SEND(OK));
    assert_int_equal(world_put_object(w, &o), STORE_DONE);
    assert_true(clock_monotonic() - start > 500 * USEC_PER_MSEC);
    (void)loopback_join(w->server);
    free(data);
}

static void cancel(struct world *w)
{
    store_cancel(w->call);
    w->call = NULL;
    for (unsigned i = 0; i < 5; i++)
        assert_true(sd_event_run(w->context.event, 2000) >= 0);
    assert_false(w->ended);
}

/* Nobody comes to the server within so few turns of the loop. */
#define TURNS_ALONE 3

static void start_anew(struct world *w)
{
    loopback_free(w->server);
    w->server = loopback_new(NULL);
    store_free(w->store);
    w->store = NULL;
    (void)snprintf(w->endpoint, sizeof(w->endpoint), "http://127.0.0.1:%u",
                   loopback_port(w->server));
}

/* After so many turns of the loop; the server waits for the end. */
static void test_cancel(void **state)
{
    static const struct loopback_step steps[] = {
        BODY,
        SEND("HTTP/1.1 400 No\r\nContent-Length: 100\r\n\r\n<Error><Code>x"),
        {.what = LOOPBACK_WAIT}};
    struct world *w = *state;
    const struct store_object known = world_hello();
    struct store_object unknown = world_file(w, HELLO, strlen(HELLO));

    unknown.sha256 = NULL;
    for (unsigned turns = 0; turns < 12; turns++) {
        start_anew(w);
        if (turns > TURNS_ALONE)
            loopback_play(w->server, steps, sizeof(steps) / sizeof(steps[0]));
        world_clear(w);
        world_begun(w, store_put(world_store(w), turns % 2 ? &known : &unknown, world_on_done, w,
                                 &w->call));
        for (unsigned i = 0; i < turns && !w->ended; i++)
            assert_true(sd_event_run(w->context.event, 20000) >= 0);
        cancel(w);
        if (turns > TURNS_ALONE)
            (void)loopback_join(w->server);
    }
}

static void test_cancel_others(void **state)
{
    static const struct loopback_step steps[] = {
        SEND("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<ListBucketResult><Cont"),
        {.what = LOOPBACK_WAIT}};
    struct world *w = *state;

    for (unsigned turns = 0; turns < 10; turns++) {
        start_anew(w);
        if (turns > TURNS_ALONE)
            loopback_play(w->server, steps, sizeof(steps) / sizeof(steps[0]));
        world_clear(w);
        world_begun(w, turns % 2 ? store_list(world_store(w), "", NULL, world_on_object,
                                              world_on_done, w, &w->call)
                                 : store_get(world_store(w), "k", world_on_body, world_on_done, w,
                                             &w->call));
        for (unsigned i = 0; i < turns && !w->ended; i++)
            assert_true(sd_event_run(w->context.event, 20000) >= 0);
        cancel(w);
        if (turns > TURNS_ALONE)
            (void)loopback_join(w->server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_head, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_get, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_list, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_list_goes_wrong, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_large, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_expectation_failed, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_checksum, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_rate_is_shared, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_cancel, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_cancel_others, world_setup, world_teardown),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
