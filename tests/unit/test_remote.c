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
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/upload/filehash.h"
#include "daemon/upload/store.h"
#include "tests/support/loopback.h"
#include "tests/support/scratch.h"

/* alarm(2) ends a test whose call never ends. */
#define PATIENCE 60
#define HELLO "hello, store"
#define BIG (3u << 20)

#define SEND(text) {.what = LOOPBACK_SEND, .data = (text)}
#define BODY {.what = LOOPBACK_BODY}
#define NEXT {.what = LOOPBACK_NEXT}
#define RESET {.what = LOOPBACK_RESET}
#define GATE {.what = LOOPBACK_GATE}
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define STATUS(line) "HTTP/1.1 " line "\r\nContent-Length: 0\r\n\r\n"

struct world {
    char *dir;
    size_t descriptors;
    struct store_context context;
    struct loopback *server;
    struct upload_config u;
    char endpoint[64];
    struct store *store;
    struct store_call *call;
    int fd;
    bool ended, inside;
    struct store_result result;
    char got[4096];
    int refuse; /* what the handlers say */
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    (void)alarm(PATIENCE);
    w->dir = scratch_new(NULL);
    w->descriptors = scratch_descriptors();
    w->fd = -1;
    assert_true(sd_event_new(&w->context.event) >= 0);
    assert_int_equal(http_new(w->context.event, "contraced/test", &w->context.http), 0);
    assert_int_equal(disk_new(w->context.event, &w->context.disk), 0);
    w->server = loopback_new(NULL);
    (void)snprintf(w->endpoint, sizeof w->endpoint, "http://127.0.0.1:%u",
                   loopback_port(w->server));
    w->u = (struct upload_config){
        .url = (char *)"s3://bucket/pre",
        .endpoint = w->endpoint,
        .region = (char *)"eu-test-1",
        .concurrency = 4,
        .access_key_file = strdup(scratch_write(w->dir, "access", "AKONE\n", 6, 0600)),
        .secret_key_file = strdup(scratch_write(w->dir, "secret", "secret1\n", 8, 0600)),
    };
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    store_cancel(w->call);
    store_free(w->store);
    http_free(w->context.http);
    disk_free(w->context.disk);
    sd_event_unref(w->context.event);
    loopback_free(w->server);
    if (w->fd >= 0)
        (void)close(w->fd);
    free(w->u.access_key_file);
    free(w->u.secret_key_file);
    assert_int_equal(scratch_descriptors(), w->descriptors);
    scratch_free(w->dir);
    free(w);
    (void)alarm(0);
    return 0;
}

static struct store *store_of(struct world *w)
{
    if (!w->store)
        assert_int_equal(store_new(&w->context, &w->u, &w->store), 0);
    return w->store;
}

/* ---- calls ---------------------------------------------------------------------------------- */

static void on_done(void *userdata, const struct store_result *result)
{
    struct world *w = userdata;

    assert_false(w->ended);
    assert_false(w->inside);
    w->ended = true;
    w->result = *result;
    w->call = NULL;
}

static int on_body(void *userdata, const void *data, size_t n)
{
    struct world *w = userdata;

    if (w->refuse)
        return w->refuse;
    assert_true(strlen(w->got) + n < sizeof w->got);
    (void)strncat(w->got, data, n);
    return 0;
}

static int on_object(void *userdata, const char *key, uint64_t size, usec modified)
{
    struct world *w = userdata;
    size_t n = strlen(w->got);

    if (w->refuse)
        return w->refuse;
    (void)snprintf(w->got + n, sizeof w->got - n, "%s:%u:%u|", key, (unsigned)size,
                   (unsigned)(modified / USEC_PER_SEC));
    return 0;
}

static void begin(struct world *w, int r)
{
    w->inside = false;
    assert_int_equal(r, 0);
}

static void clear(struct world *w)
{
    w->ended = false;
    w->inside = true;
    w->got[0] = '\0';
    w->result = (struct store_result){.end = STORE_END_COUNT};
}

static enum store_end run(struct world *w)
{
    while (!w->ended)
        assert_true(sd_event_run(w->context.event, UINT64_MAX) >= 0);
    return w->result.end;
}

static const struct store_meta meta[] = {{"service", "checkout"}, {"reason", "trigger: a%b"}};

static struct store_object hello(void)
{
    static char sha256[FILEHASH_SIZE];

    assert_int_equal(filehash_memory(HELLO, strlen(HELLO), sha256), 0);
    return (struct store_object){
        .key = "svc/h/20260314/092653-7.trace",
        .data = HELLO,
        .fd = -1,
        .size = strlen(HELLO),
        .sha256 = sha256,
        .content_type = "application/octet-stream",
        .meta = meta,
        .n_meta = 2,
    };
}

static struct store_object file_of(struct world *w, const void *data, size_t n)
{
    struct store_object o = hello();

    w->fd = open(scratch_write(w->dir, "object", data, n, 0600), O_RDONLY | O_CLOEXEC);
    assert_true(w->fd >= 0);
    o.data = NULL;
    o.fd = w->fd;
    o.size = n;
    return o;
}

static enum store_end put_object(struct world *w, const struct store_object *o)
{
    clear(w);
    begin(w, store_put(store_of(w), o, on_done, w, &w->call));
    return run(w);
}

static enum store_end put(struct world *w)
{
    const struct store_object o = hello();

    return put_object(w, &o);
}

static enum store_end head(struct world *w)
{
    clear(w);
    begin(w, store_head(store_of(w), "k", on_done, w, &w->call));
    return run(w);
}

static enum store_end get(struct world *w)
{
    clear(w);
    begin(w, store_get(store_of(w), "k", on_body, on_done, w, &w->call));
    return run(w);
}

static enum store_end list(struct world *w, const char *after)
{
    clear(w);
    begin(w, store_list(store_of(w), "s", after, on_object, on_done, w, &w->call));
    return run(w);
}

#define PLAY(w, ...)                                                                               \
    loopback_play((w)->server, (const struct loopback_step[]){__VA_ARGS__},                        \
                  sizeof((const struct loopback_step[]){__VA_ARGS__}) /                            \
                      sizeof(struct loopback_step))

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in \"%s\"", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" in \"%s\"", part, text);
}

/* ---- one attempt ---------------------------------------------------------------------------- */

static void test_put(void **state)
{
    struct world *w = *state;
    const char *request;
    const void *body;
    size_t n;

    PLAY(w, BODY, SEND(OK));
    assert_int_equal(put(w), STORE_DONE);
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

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        enum store_end end;

        PLAY(w, BODY, SEND(answers[i].answer));
        end = put(w);
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
    assert_int_equal(put(w), STORE_RETRY);
    assert_true(w->result.trouble);
    assert_has(w->result.text, "it may have been stored");
    (void)loopback_join(w->server);
    loopback_free(w->server);
    w->server = loopback_new(NULL); /* another port: nobody listens at the old one */
    assert_int_equal(put(w), STORE_RETRY);
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
    assert_int_equal(put(w), STORE_REFUSED);
    assert_has(w->result.text, "400 EntityTooLarge");
    (void)loopback_join(w->server);
    PLAY(w, BODY, SEND("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n"),
         {.what = LOOPBACK_REPEAT, .data = part, .times = 200000});
    assert_int_equal(put(w), STORE_RETRY);
    assert_true(w->result.trouble);
    (void)loopback_join(w->server);
}

static void test_stall(void **state)
{
    struct world *w = *state;

    w->u.stall_timeout = 200 * USEC_PER_MSEC;
    PLAY(w, BODY, GATE);
    assert_int_equal(put(w), STORE_RETRY);
    assert_true(w->result.trouble);
    assert_has(w->result.text, "no byte came or went");
    loopback_open_gate(w->server);
    (void)loopback_join(w->server);
}

/* ---- the same again ------------------------------------------------------------------------- */

#define EXPIRED                                                                                    \
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
    assert_int_equal(put(w), STORE_DONE);
    assert_has(loopback_join(w->server), "Credential=AKONE/");
    rotate(w, "AKTWO", "secret2");
    PLAY(w, BODY, SEND(EXPIRED), NEXT, BODY, SEND(OK));
    assert_int_equal(put(w), STORE_DONE);
    assert_has(loopback_join(w->server), "Credential=AKTWO/");
}

static void test_refresh_in_vain(void **state)
{
    struct world *w = *state;

    PLAY(w, BODY, SEND(OK));
    assert_int_equal(put(w), STORE_DONE);
    (void)loopback_join(w->server);
    rotate(w, "AKTWO", "secret2");
    PLAY(w, BODY, SEND(EXPIRED), NEXT, BODY, SEND(EXPIRED));
    assert_int_equal(put(w), STORE_PARKED);
    assert_has(w->result.text, "400 ExpiredToken");
    assert_has(loopback_join(w->server), "Credential=AKTWO/");
}

/* There are no others, and the store is not asked again with the same. */
static void test_no_credentials(void **state)
{
    struct world *w = *state;

    assert_int_equal(unlink(w->u.access_key_file), 0);
    assert_int_equal(put(w), STORE_PARKED);
    assert_string_not_equal(w->result.text, "");
    assert_int_equal(get(w), STORE_PARKED);
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
    assert_true(strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0);
    (void)snprintf(text, sizeof texts[0],
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
    assert_int_equal(put(w), STORE_DONE);
    assert_in_range(signed_ahead(loopback_join(w->server)), 3590, 3610);
    PLAY(w, SEND(OK)); /* what was learned holds for all calls */
    assert_int_equal(head(w), STORE_DONE);
    assert_in_range(signed_ahead(loopback_join(w->server)), 3590, 3610);
    /* The clock was set right meanwhile. */
    PLAY(w, BODY, SEND(dated(0, "403 No", "RequestTimeTooSkewed")), NEXT, BODY, SEND(OK));
    assert_int_equal(put(w), STORE_DONE);
    assert_in_range(signed_ahead(loopback_join(w->server)) + 10, 0, 20);
    PLAY(w, BODY, SEND(dated(3600, "403 No", "RequestTimeTooSkewed")), NEXT, BODY,
         SEND(dated(7200, "403 No", "RequestTimeTooSkewed")));
    assert_int_equal(put(w), STORE_PARKED);
    assert_has(w->result.text, "clock");
    (void)loopback_join(w->server);
}

#define ELSEWHERE(region)                                                                          \
    "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/evil\r\n"                                  \
    "x-amz-bucket-region: " region "\r\nContent-Length: 0\r\n\r\n"

static void test_region(void **state)
{
    struct world *w = *state;

    PLAY(w, BODY, SEND(ELSEWHERE("eu-else-2")), NEXT, BODY, SEND(OK));
    assert_int_equal(put(w), STORE_DONE);
    assert_has(loopback_join(w->server), "/eu-else-2/s3/aws4_request");
    PLAY(w, BODY, SEND(OK));
    assert_int_equal(put(w), STORE_DONE);
    assert_has(loopback_join(w->server), "/eu-else-2/s3/aws4_request");
    PLAY(w, BODY, SEND(ELSEWHERE("us-one-1")), NEXT, BODY, SEND(ELSEWHERE("us-two-2")));
    assert_int_equal(put(w), STORE_PARKED);
    assert_has(w->result.text, "301");
    (void)loopback_join(w->server);
    PLAY(w, BODY, SEND(ELSEWHERE("evil.example.org"))); /* a region's name has no dot */
    assert_int_equal(put(w), STORE_PARKED);
    (void)loopback_join(w->server);
}

#define DIGEST                                                                                     \
    "HTTP/1.1 400 No\r\nContent-Length: 37\r\n\r\n<Error><Code>BadDigest</Code></Error>"

static void test_rehash(void **state)
{
    struct world *w = *state;
    struct store_object o = file_of(w, HELLO, strlen(HELLO));

    PLAY(w, BODY, SEND(DIGEST), NEXT, BODY, SEND(OK));
    assert_int_equal(put_object(w, &o), STORE_DONE);
    (void)loopback_join(w->server);
    PLAY(w, BODY, SEND(DIGEST), NEXT, BODY, SEND(DIGEST));
    assert_int_equal(put_object(w, &o), STORE_RETRY);
    assert_has(w->result.text, "400 BadDigest");
    (void)loopback_join(w->server);
    PLAY(w, BODY, SEND(DIGEST), NEXT, BODY, SEND(OK)); /* of bytes in memory */
    assert_int_equal(put(w), STORE_DONE);
    (void)loopback_join(w->server);
    (void)scratch_text(w->dir, "object", "hello, storm");
    PLAY(w, BODY, SEND(DIGEST));
    assert_int_equal(put_object(w, &o), STORE_CHANGED);
    (void)loopback_join(w->server);
}

static void test_short_file(void **state)
{
    struct world *w = *state;
    struct store_object o = file_of(w, HELLO, strlen(HELLO));

    o.size = 100;
    PLAY(w, BODY);
    assert_int_equal(put_object(w, &o), STORE_CHANGED);
    (void)loopback_join(w->server);
    o.sha256 = NULL;
    assert_int_equal(put_object(w, &o), STORE_CHANGED);
}

/* Without a hash it is made first. */
static void test_unknown_hash(void **state)
{
    struct world *w = *state;
    struct store_object o = hello();
    char line[128];

    (void)snprintf(line, sizeof line, "\r\nx-amz-content-sha256: %s\r\n", o.sha256);
    o.sha256 = NULL;
    PLAY(w, BODY, SEND(OK));
    assert_int_equal(put_object(w, &o), STORE_DONE);
    assert_has(loopback_join(w->server), line);
    o = file_of(w, HELLO, strlen(HELLO));
    o.sha256 = NULL;
    PLAY(w, BODY, SEND(OK));
    assert_int_equal(put_object(w, &o), STORE_DONE);
    assert_has(loopback_join(w->server), line);
    o.size = 0;
    PLAY(w, SEND(OK));
    assert_int_equal(put_object(w, &o), STORE_DONE);
    assert_has(loopback_join(w->server), "\r\nContent-Length: 0\r\n");
}

/* ---- a key that is taken -------------------------------------------------------------------- */

static const char *object_head(const char *size, const char *sha256)
{
    static char text[512];

    (void)snprintf(text, sizeof text,
                   "HTTP/1.1 200 OK\r\nContent-Length: %s\r\nx-amz-meta-sha256: %s\r\n\r\n", size,
                   sha256);
    return text;
}

static void test_exists(void **state)
{
    static const char *const other =
        "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855";
    struct world *w = *state;
    const struct store_object o = hello();
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
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        PLAY(w, BODY, SEND(STATUS("412 There")), NEXT,
             SEND(rows[i].answer ? rows[i].answer : object_head(rows[i].size, rows[i].sha256)));
        assert_int_equal(put_object(w, &o), rows[i].end);
        assert_int_equal(w->result.text[0] == '\0', rows[i].end == STORE_DONE);
        assert_has(loopback_join(w->server), "HEAD /bucket/pre/svc/h/20260314/092653-7.trace ");
    }
}

static void test_conditional(void **state)
{
    struct world *w = *state;
    struct store_object o = hello();

    w->u.if_none_match = true;
    PLAY(w, BODY, SEND(OK));
    assert_int_equal(put_object(w, &o), STORE_DONE);
    assert_has(loopback_join(w->server), "\r\nIf-None-Match: *\r\n");
    o.replace = true;
    PLAY(w, BODY, SEND(OK));
    assert_int_equal(put_object(w, &o), STORE_DONE);
    assert_lacks(loopback_join(w->server), "If-None-Match");
    /* Then there is nothing to compare with. */
    PLAY(w, BODY, SEND(STATUS("412 There")));
    assert_int_equal(put_object(w, &o), STORE_PARKED);
    (void)loopback_join(w->server);
}

/* ---- the other way -------------------------------------------------------------------------- */

static void test_head(void **state)
{
    struct world *w = *state;

    PLAY(w, SEND(object_head("70000000000", hello().sha256)));
    assert_int_equal(head(w), STORE_DONE);
    assert_int_equal(w->result.size, 70000000000);
    assert_string_equal(w->result.sha256, hello().sha256);
    (void)loopback_join(w->server);
    PLAY(w, SEND(object_head("1", "no hash")));
    assert_int_equal(head(w), STORE_DONE);
    assert_string_equal(w->result.sha256, "");
    (void)loopback_join(w->server);
    PLAY(w, SEND("HTTP/1.1 404 No\r\n\r\n"));
    assert_int_equal(head(w), STORE_MISSING);
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

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        PLAY(w, SEND(rows[i].answer));
        assert_int_equal(get(w), rows[i].end);
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
    assert_int_equal(get(w), STORE_LOCAL);
    assert_string_equal(w->result.text, "No space left on device");
    (void)loopback_join(w->server);
}

/* A page with its length. */
static const char *page(const char *inside)
{
    static char texts[4][2048];
    static unsigned next;
    char *text = texts[next++ % 4];

    (void)snprintf(text, sizeof texts[0],
                   "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n"
                   "<ListBucketResult>%s</ListBucketResult>",
                   strlen(inside) + strlen("<ListBucketResult></ListBucketResult>"), inside);
    return text;
}

#define OBJECT(key, size)                                                                          \
    "<Contents><Key>" key "</Key><Size>" size                                                      \
    "</Size><LastModified>1970-01-01T00:01:00Z</LastModified></Contents>"
#define MORE(token)                                                                                \
    "<IsTruncated>true</IsTruncated><NextContinuationToken>" token "</NextContinuationToken>"

static void test_list(void **state)
{
    struct world *w = *state;

    PLAY(w, SEND(page("<EncodingType>url</EncodingType>" MORE("to/k=n") OBJECT("pre/s1", "5")
                      OBJECT("pre/s+%2B%252", "6") OBJECT("pre/", "0") OBJECT("other", "1"))),
         NEXT, SEND(page(OBJECT("pre/s+3", "7"))));
    assert_int_equal(list(w, NULL), STORE_DONE);
    assert_string_equal(w->got, "s1:5:60|s +%2:6:60|s+3:7:60|");
    assert_has(loopback_join(w->server),
               "GET /bucket?continuation-token=to%2Fk%3Dn&encoding-type=url&list-type=2&"
               "max-keys=1000&prefix=pre%2Fs HTTP/1.1\r\n");
    PLAY(w, SEND(page(OBJECT("pre/s1", "5") OBJECT("pre/s2", "6") OBJECT("pre/s3", "7"))));
    assert_int_equal(list(w, "s2"), STORE_DONE);
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
        {"HTTP/1.1 200 OK\r\n\r\n<ListBucketResult>" OBJECT("pre/s1", "5") "<IsTruncated>true"
         "</IsTruncated></ListBucketResult>", STORE_RETRY},
        {"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", STORE_PARKED},
        {"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", STORE_RETRY},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        PLAY(w, SEND(rows[i].answer));
        assert_int_equal(list(w, NULL), rows[i].end);
        assert_string_equal(w->got, "");
        assert_string_not_equal(w->result.text, "");
        (void)loopback_join(w->server);
    }
    PLAY(w, SEND(page(MORE("t"))), NEXT, SEND(page(MORE("t"))));
    assert_int_equal(list(w, NULL), STORE_RETRY);
    assert_has(w->result.text, "no end");
    (void)loopback_join(w->server);
    w->refuse = -ECANCELED;
    PLAY(w, SEND(page(OBJECT("pre/s1", "5"))));
    assert_int_equal(list(w, NULL), STORE_LOCAL);
    (void)loopback_join(w->server);
}

/* ---- how it is sent ------------------------------------------------------------------------- */

static void test_large(void **state)
{
    struct world *w = *state;
    char *data = malloc(BIG);
    struct store_object o;
    const void *body;
    size_t n;

    assert_non_null(data);
    memset(data, 'x', BIG);
    o = file_of(w, data, BIG);
    o.sha256 = NULL;
    PLAY(w, SEND("HTTP/1.1 100 Continue\r\n\r\n"), BODY, SEND(OK));
    assert_int_equal(put_object(w, &o), STORE_DONE);
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
    o = file_of(w, data, BIG);
    PLAY(w, SEND(STATUS("417 No")), {.what = LOOPBACK_ACCEPT}, BODY, SEND(OK));
    assert_int_equal(put_object(w, &o), STORE_DONE);
    assert_lacks(loopback_join(w->server), "Expect");
    PLAY(w, BODY, SEND(OK));
    assert_int_equal(put_object(w, &o), STORE_DONE);
    assert_lacks(loopback_join(w->server), "Expect");
    PLAY(w, BODY, SEND(STATUS("417 No"))); /* to what was never asked */
    assert_int_equal(put_object(w, &o), STORE_RETRY);
    (void)loopback_join(w->server);
    free(data);
}

static void test_rate_is_shared(void **state)
{
    struct world *w = *state;
    char *data = calloc(1, 60000);
    struct store_object o;
    usec start = clock_monotonic();

    assert_non_null(data);
    w->u.max_rate = 240000;
    o = file_of(w, data, 60000);
    o.sha256 = NULL;
    PLAY(w, BODY, SEND(OK));
    assert_int_equal(put_object(w, &o), STORE_DONE);
    assert_true(clock_monotonic() - start > 500 * USEC_PER_MSEC);
    (void)loopback_join(w->server);
    free(data);
}

/* ---- given up ------------------------------------------------------------------------------- */

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
    (void)snprintf(w->endpoint, sizeof w->endpoint, "http://127.0.0.1:%u",
                   loopback_port(w->server));
}

/* After so many turns of the loop; the server waits for the end. */
static void test_cancel(void **state)
{
    static const struct loopback_step steps[] = {
        BODY, SEND("HTTP/1.1 400 No\r\nContent-Length: 100\r\n\r\n<Error><Code>x"),
        {.what = LOOPBACK_WAIT}};
    struct world *w = *state;
    const struct store_object known = hello();
    struct store_object unknown = file_of(w, HELLO, strlen(HELLO));

    unknown.sha256 = NULL;
    for (unsigned turns = 0; turns < 12; turns++) {
        start_anew(w);
        if (turns > TURNS_ALONE)
            loopback_play(w->server, steps, sizeof steps / sizeof steps[0]);
        clear(w);
        begin(w, store_put(store_of(w), turns % 2 ? &known : &unknown, on_done, w, &w->call));
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
            loopback_play(w->server, steps, sizeof steps / sizeof steps[0]);
        clear(w);
        begin(w, turns % 2 ? store_list(store_of(w), "", NULL, on_object, on_done, w, &w->call)
                           : store_get(store_of(w), "k", on_body, on_done, w, &w->call));
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
        cmocka_unit_test_setup_teardown(test_put, setup, teardown),
        cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_connection_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(test_endless_error, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stall, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refresh, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refresh_in_vain, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_credentials, setup, teardown),
        cmocka_unit_test_setup_teardown(test_skew, setup, teardown),
        cmocka_unit_test_setup_teardown(test_region, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rehash, setup, teardown),
        cmocka_unit_test_setup_teardown(test_short_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown_hash, setup, teardown),
        cmocka_unit_test_setup_teardown(test_exists, setup, teardown),
        cmocka_unit_test_setup_teardown(test_conditional, setup, teardown),
        cmocka_unit_test_setup_teardown(test_head, setup, teardown),
        cmocka_unit_test_setup_teardown(test_get, setup, teardown),
        cmocka_unit_test_setup_teardown(test_list, setup, teardown),
        cmocka_unit_test_setup_teardown(test_list_goes_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expectation_failed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rate_is_shared, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel_others, setup, teardown),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
