/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/upload/creddoc.h"
#include "daemon/upload/identity.h"
#include "tests/support/loopback.h"
#include "tests/support/scratch.h"

#define PATIENCE 120
#define N(a) (sizeof(a) / sizeof(a)[0])

/* ---- a clock that is moved by hand ----------------------------------------------------------- */

static usec shift;
static struct {
    sd_event_source *source;
    usec at;
} timers[4];

int __real_sd_event_now(sd_event *event, clockid_t clock, uint64_t *ret);
int __wrap_sd_event_now(sd_event *event, clockid_t clock, uint64_t *ret);
int __real_sd_event_source_set_time(sd_event_source *s, uint64_t at);
int __wrap_sd_event_source_set_time(sd_event_source *s, uint64_t at);

static bool is_shifted(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME;
}

int __wrap_sd_event_now(sd_event *event, clockid_t clock, uint64_t *ret)
{
    int r = __real_sd_event_now(event, clock, ret);

    if (is_shifted(clock))
        *ret += shift;
    return r;
}

static int set_shifted(sd_event_source *s, usec at)
{
    return __real_sd_event_source_set_time(s, at > shift ? at - shift : 0);
}

int __wrap_sd_event_source_set_time(sd_event_source *s, uint64_t at)
{
    clockid_t clock = CLOCK_MONOTONIC;
    size_t i = 0;

    if (sd_event_source_get_time_clock(s, &clock) < 0 || !is_shifted(clock))
        return __real_sd_event_source_set_time(s, at);
    while (timers[i].source && timers[i].source != s)
        i++;
    assert_true(i + 1 < N(timers));
    timers[i].source = s;
    timers[i].at = at;
    return set_shifted(s, at);
}

/* ---- requests are counted, and nothing is given back with a secret in it --------------------- */

static unsigned requests, answers, unwiped;
static const struct http_handlers *asker; /* of the one request under way */
static void *asker_data;

static ssize_t on_body(void *userdata, const void *data, size_t n)
{
    (void)userdata;
    return asker->body(asker_data, data, n);
}

static void on_finished(void *userdata, const struct http_result *result)
{
    (void)userdata;
    answers++;
    asker->finished(asker_data, result);
}

int __real_http_start(struct http *h, const struct http_options *options,
                      const struct http_handlers *handlers, void *userdata,
                      struct http_request **ret);
int __wrap_http_start(struct http *h, const struct http_options *options,
                      const struct http_handlers *handlers, void *userdata,
                      struct http_request **ret);

int __wrap_http_start(struct http *h, const struct http_options *options,
                      const struct http_handlers *handlers, void *userdata,
                      struct http_request **ret)
{
    static const struct http_handlers ours = {.body = on_body, .finished = on_finished};

    requests++;
    asker = handlers;
    asker_data = userdata;
    return __real_http_start(h, options, &ours, NULL, ret);
}

void __real_free(void *p);
void __wrap_free(void *p);

void __wrap_free(void *p)
{
    if (p && memmem(p, malloc_usable_size(p), "canary", 6))
        unwiped++;
    __real_free(p);
}

/* ---- the log --------------------------------------------------------------------------------- */

static struct {
    enum log_level level;
    char text[600];
} lines[32];
static size_t n_lines;

static void on_line(void *userdata, enum log_level level, const struct log_fields *fields,
                    const char *message)
{
    (void)userdata, (void)fields;
    assert_null(strstr(message, "canary"));
    assert_true(n_lines < N(lines));
    lines[n_lines].level = level;
    (void)snprintf(lines[n_lines++].text, sizeof lines[0].text, "%s", message);
}

/* The last line, of which there are `n` by now. */
static void check_log(size_t n, enum log_level level, const char *part)
{
    if (n_lines != n || lines[n - 1].level != level || !strstr(lines[n - 1].text, part)) {
        for (size_t i = 0; i < n_lines; i++)
            print_error("%d %s\n", (int)lines[i].level, lines[i].text);
        fail_msg("not %zu lines, or not \"%s\"", n, part);
    }
}

/* ---- the world ------------------------------------------------------------------------------- */

static const char *const variables[] = {
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME",
    "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_REGION", "AWS_DEFAULT_REGION",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "HOME",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
};

struct world {
    char *dir;
    size_t descriptors;
    sd_event *event;
    struct http *http;
    struct loopback *server;
    struct identity *identity;
    char access_key_file[256], secret_key_file[256];
    char reply[1024];
    struct loopback_step step;
    unsigned keys;        /* sets that the endpoint has given */
    unsigned playing_for; /* the request, counted from 1 */
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    (void)alarm(PATIENCE);
    w->dir = scratch_new(NULL);
    w->descriptors = scratch_descriptors();
    assert_true(sd_event_new(&w->event) >= 0);
    assert_int_equal(http_new(w->event, "contraced/test", &w->http), 0);
    w->server = loopback_new(NULL);
    for (size_t i = 0; i < N(variables); i++)
        assert_int_equal(unsetenv(variables[i]), 0);
    memset(timers, 0, sizeof timers);
    shift = 0;
    requests = answers = unwiped = 0;
    n_lines = 0;
    log_set_sink(on_line, NULL);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    identity_free(w->identity);
    loopback_free(w->server);
    http_free(w->http);
    sd_event_unref(w->event);
    assert_int_equal(scratch_descriptors(), w->descriptors);
    assert_int_equal(unwiped, 0);
    scratch_free(w->dir);
    explicit_bzero(w, sizeof *w);
    free(w);
    log_set_sink(NULL, NULL);
    (void)alarm(0);
    return 0;
}

static void settle(struct world *w)
{
    while (sd_event_run(w->event, 0) > 0)
        ;
}

static void advance(struct world *w, usec by)
{
    shift += by;
    for (size_t i = 0; timers[i].source; i++)
        assert_true(set_shifted(timers[i].source, timers[i].at) >= 0);
    settle(w);
}

static void start(struct world *w, const struct identity_options *o)
{
    identity_free(w->identity);
    w->identity = NULL;
    memset(timers, 0, sizeof timers);
    assert_int_equal(identity_new(w->event, w->http, o, &w->identity), 0);
    assert_null(identity_secrets(w->identity));
    assert_int_equal(identity_version(w->identity), 0);
    assert_true(identity_expiry(w->identity) == USEC_NEVER);
}

/* ---- one who waits --------------------------------------------------------------------------- */

struct waiter {
    struct identity_wait *wait;
    unsigned times;
    int r;
    char why[512];
    struct waiter *cancels; /* when it is told */
};

static void on_wait(void *userdata, int r, const char *why)
{
    struct waiter *t = userdata;

    t->wait = NULL;
    t->times++;
    t->r = r;
    (void)snprintf(t->why, sizeof t->why, "%s", why);
    assert_null(strstr(why, "canary"));
    assert_true((r == 0) == (why[0] == '\0'));
    if (t->cancels) {
        identity_wait_cancel(t->cancels->wait);
        t->cancels->wait = NULL;
    }
}

static struct waiter told;

/* What identity_wait comes to, in the end. */
static int ask(struct world *w, unsigned refused)
{
    int r;

    told = (struct waiter){0};
    r = identity_wait(w->identity, refused, on_wait, &told, &told.wait);
    assert_int_equal(told.times, 0);
    if (r == 1)
        return 0;
    assert_int_equal(r, 0);
    while (told.times == 0)
        assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
    return told.r;
}

static const char *secret_key(struct world *w)
{
    return identity_secrets(w->identity)->secret_key;
}

/* ---- files and the environment --------------------------------------------------------------- */

static void write_keys(struct world *w, const char *secret, mode_t mode)
{
    (void)scratch_write(w->dir, "sk", secret, strlen(secret), mode);
}

static void with_files(struct world *w)
{
    (void)snprintf(w->access_key_file, sizeof w->access_key_file, "%s",
                   scratch_write(w->dir, "ak", "AK\n", 3, 0600));
    write_keys(w, "canary-1\n", 0600);
    (void)snprintf(w->secret_key_file, sizeof w->secret_key_file, "%s/sk", w->dir);
    start(w, &(struct identity_options){.access_key_file = w->access_key_file,
                                        .secret_key_file = w->secret_key_file});
}

static void test_files(void **state)
{
    struct world *w = *state;

    with_files(w);
    assert_int_equal(ask(w, 0), 0);
    assert_int_equal(told.times, 1);
    assert_string_equal(identity_secrets(w->identity)->access_key, "AK");
    assert_string_equal(secret_key(w), "canary-1");
    assert_int_equal(identity_version(w->identity), 1);
    assert_true(identity_expiry(w->identity) == USEC_NEVER);
    check_log(1, LOG_LEVEL_INFO, "upload: credentials come from the files named in the conf");
    assert_int_equal(ask(w, 0), 0);
    assert_int_equal(told.times, 0);
    advance(w, 30 * USEC_PER_DAY);
    assert_int_equal(n_lines, 1);
    assert_int_equal(requests, 0);
}

static void test_environment(void **state)
{
    struct world *w = *state;

    assert_int_equal(setenv("AWS_ACCESS_KEY_ID", "AKENV", 1), 0);
    assert_int_equal(setenv("AWS_SECRET_ACCESS_KEY", "canary-env", 1), 0);
    start(w, &(struct identity_options){0});
    assert_int_equal(ask(w, 0), 0);
    assert_string_equal(secret_key(w), "canary-env");
    check_log(1, LOG_LEVEL_INFO, "the environment");
    assert_int_equal(ask(w, 1), -EACCES);
    assert_non_null(strstr(told.why, "the store refuses the keys from the environment"));
    assert_string_equal(secret_key(w), "canary-env");
}

/* Until the back-off is over all hear of the failure, and the file is left alone. */
static void test_no_set(void **state)
{
    struct world *w = *state;

    with_files(w);
    write_keys(w, "canary-1", 0644);
    assert_int_equal(ask(w, 0), -EPERM);
    assert_non_null(strstr(told.why, "/sk: others may read it; chmod 0600"));
    assert_null(identity_secrets(w->identity));
    write_keys(w, "canary-1", 0600);
    assert_int_equal(ask(w, 0), -EPERM);
    advance(w, 5 * USEC_PER_SEC);
    assert_int_equal(ask(w, 0), 0);
    check_log(1, LOG_LEVEL_INFO, "come from");
}

static void test_refused(void **state)
{
    struct world *w = *state;

    with_files(w);
    assert_int_equal(ask(w, 0), 0);
    /* The file has what is refused. */
    assert_int_equal(ask(w, 1), -EACCES);
    assert_non_null(strstr(told.why, w->dir));
    assert_non_null(strstr(told.why, "still has the same"));
    assert_int_equal(identity_version(w->identity), 1);
    assert_int_equal(ask(w, 0), 0); /* for whom any will do */
    /* Rotated. */
    write_keys(w, "canary-2", 0600);
    assert_int_equal(ask(w, 1), -EACCES);
    advance(w, 5 * USEC_PER_SEC);
    assert_int_equal(ask(w, 1), 0);
    assert_int_equal(identity_version(w->identity), 2);
    assert_string_equal(secret_key(w), "canary-2");
    assert_int_equal(ask(w, 1), 0);
    assert_int_equal(told.times, 0);
    /* Gone: what is in use stays so. */
    advance(w, USEC_PER_HOUR);
    assert_int_equal(unlink(w->secret_key_file), 0);
    assert_int_equal(ask(w, 2), -ENOENT);
    assert_string_equal(secret_key(w), "canary-2");
    check_log(2, LOG_LEVEL_WARN, "those in use are kept");
    advance(w, USEC_PER_HOUR);
    assert_int_equal(ask(w, 2), -ENOENT);
    assert_int_equal(n_lines, 2);
    write_keys(w, "canary-3", 0600);
    advance(w, USEC_PER_HOUR);
    assert_int_equal(ask(w, 2), 0);
    check_log(3, LOG_LEVEL_INFO, "again");
}

/* Without a refusal the files are looked at once a minute, when someone asks. */
static void test_rotated(void **state)
{
    struct world *w = *state;

    with_files(w);
    assert_int_equal(ask(w, 0), 0);
    write_keys(w, "canary-22", 0600);
    assert_int_equal(ask(w, 0), 0);
    settle(w);
    assert_int_equal(identity_version(w->identity), 1);
    advance(w, 61 * USEC_PER_SEC);
    assert_int_equal(identity_version(w->identity), 1);
    assert_int_equal(ask(w, 0), 0);
    assert_string_equal(secret_key(w), "canary-1"); /* until the loop runs again */
    settle(w);
    assert_int_equal(identity_version(w->identity), 2);
    assert_string_equal(secret_key(w), "canary-22");
    write_keys(w, "", 0600);
    advance(w, 61 * USEC_PER_SEC);
    assert_int_equal(ask(w, 0), 0);
    settle(w);
    assert_string_equal(secret_key(w), "canary-22");
    check_log(2, LOG_LEVEL_WARN, "those in use are kept");
    write_keys(w, "canary-22", 0600);
    advance(w, 61 * USEC_PER_SEC);
    assert_int_equal(ask(w, 0), 0);
    settle(w);
    assert_int_equal(identity_version(w->identity), 2);
    check_log(3, LOG_LEVEL_INFO, "again");
}

/* ---- an endpoint ----------------------------------------------------------------------------- */

static void with_endpoint(struct world *w)
{
    char url[64];

    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", loopback_port(w->server));
    assert_int_equal(setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1), 0);
    start(w, &(struct identity_options){0});
}

/* The answer to the next request: one that is to be played already is another from now on. */
static void play(struct world *w)
{
    if (w->playing_for == requests + 1)
        return;
    w->playing_for = requests + 1;
    w->step = (struct loopback_step){.what = LOOPBACK_SEND, .data = w->reply};
    loopback_play(w->server, &w->step, 1);
}

/* The next answer is another set, which lives so long from now; it may be dead already. */
static void will_give(struct world *w, int64_t life)
{
    char expiration[CLOCK_RFC3339_SIZE];
    usec now = 0;

    assert_true(sd_event_now(w->event, CLOCK_REALTIME, &now) >= 0);
    (void)snprintf(w->reply, sizeof w->reply,
                   "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"AccessKeyId\":\"AK%u\","
                   "\"SecretAccessKey\":\"canary-%u\",\"Token\":\"t\",\"Expiration\":\"%s\"}",
                   w->keys + 1, w->keys + 1, clock_rfc3339(now + (usec)life, expiration));
    w->keys++;
    play(w);
}

static void will_fail(struct world *w)
{
    (void)snprintf(w->reply, sizeof w->reply,
                   "HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\n");
    play(w);
}

/* Until another answer has come. */
static void run_request(struct world *w, unsigned before)
{
    assert_int_equal(requests, before + 1);
    while (answers < requests)
        assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
}

static void test_refresh(void **state)
{
    struct world *w = *state;

    with_endpoint(w);
    will_give(w, (int64_t)USEC_PER_HOUR);
    assert_int_equal(ask(w, 0), 0);
    check_log(1, LOG_LEVEL_INFO, "the container's endpoint");
    for (unsigned n = 1; n <= 3; n++) {
        assert_int_equal(identity_version(w->identity), n);
        advance(w, 44 * USEC_PER_MIN);
        assert_int_equal(requests, n);
        will_give(w, (int64_t)(USEC_PER_HOUR + 6 * USEC_PER_MIN));
        advance(w, 6 * USEC_PER_MIN); /* ten minutes are left */
        run_request(w, n);
    }
    assert_string_equal(secret_key(w), "canary-4");
    assert_int_equal(n_lines, 1);
}

/* The same set once more, as long as the service has no other. */
static void test_refresh_same(void **state)
{
    struct world *w = *state;
    unsigned before;

    with_endpoint(w);
    will_give(w, (int64_t)USEC_PER_HOUR);
    assert_int_equal(ask(w, 0), 0);
    advance(w, 44 * USEC_PER_MIN);
    play(w);
    advance(w, 6 * USEC_PER_MIN);
    run_request(w, 1);
    assert_int_equal(identity_version(w->identity), 1);
    for (unsigned n = 2; n < 6; n++) {
        play(w);
        before = requests;
        for (int s = 0; s < 60 && requests == before; s++)
            advance(w, USEC_PER_SEC);
        run_request(w, before);
        assert_int_equal(identity_version(w->identity), 1);
    }
    assert_int_equal(n_lines, 1);
    will_give(w, (int64_t)USEC_PER_HOUR);
    before = requests;
    advance(w, USEC_PER_MIN);
    run_request(w, before);
    assert_int_equal(identity_version(w->identity), 2);
    advance(w, 30 * USEC_PER_MIN);
    assert_int_equal(requests, before + 1);
    assert_int_equal(n_lines, 1);
}

static void fail_until(struct world *w, usec end)
{
    usec now = 0;

    while (now < end) {
        unsigned before = requests;

        will_fail(w);
        while (requests == before && now < end) {
            advance(w, USEC_PER_SEC);
            assert_true(sd_event_now(w->event, CLOCK_REALTIME, &now) >= 0);
            /* What is there is in use, whatever becomes of it. */
            assert_int_equal(ask(w, 0), 0);
            assert_int_equal(told.times, 0);
        }
        if (requests > before)
            run_request(w, before);
    }
}

static void test_outage(void **state)
{
    struct world *w = *state;
    unsigned before;
    usec expiry;

    with_endpoint(w);
    will_give(w, (int64_t)USEC_PER_HOUR);
    assert_int_equal(ask(w, 0), 0);
    expiry = identity_expiry(w->identity);
    advance(w, 44 * USEC_PER_MIN);
    fail_until(w, expiry - 10 * USEC_PER_MIN);
    assert_int_equal(n_lines, 1); /* nothing is urgent yet */
    fail_until(w, expiry - USEC_PER_MIN);
    check_log(2, LOG_LEVEL_WARN, "the container's endpoint answers with status 503: those in use "
                                 "expire soon");
    fail_until(w, expiry + 2 * USEC_PER_MIN);
    check_log(3, LOG_LEVEL_WARN, "have expired");
    before = requests;
    fail_until(w, expiry + 12 * USEC_PER_MIN);
    assert_in_range(requests - before, 8, 120); /* once a minute at least, and no storm */
    assert_int_equal(n_lines, 3);
    /* The store refuses them: now one hears why there are no better ones. */
    will_fail(w);
    advance(w, USEC_PER_MIN);
    assert_int_equal(ask(w, 1), -EAGAIN);
    assert_non_null(strstr(told.why, "status 503"));
    (void)loopback_join(w->server);
    will_give(w, (int64_t)USEC_PER_HOUR);
    before = requests;
    advance(w, USEC_PER_MIN);
    run_request(w, before);
    assert_int_equal(identity_version(w->identity), 2);
    check_log(4, LOG_LEVEL_INFO, "again");
}

/* Everything that is had has expired, by a clock that is wrong. */
static void test_wrong_clock(void **state)
{
    struct world *w = *state;
    unsigned before;
    usec start_shift;

    with_endpoint(w);
    will_give(w, -7200 * (int64_t)USEC_PER_SEC);
    assert_int_equal(ask(w, 0), 0);
    start_shift = shift;
    while (shift - start_shift < USEC_PER_HOUR) {
        before = requests;
        will_give(w, -7200 * (int64_t)USEC_PER_SEC);
        while (requests == before && shift - start_shift < USEC_PER_HOUR)
            advance(w, USEC_PER_SEC);
        if (requests > before)
            run_request(w, before);
    }
    assert_in_range(requests, 10, 60);
    assert_int_equal(ask(w, 0), 0);
    assert_int_equal(n_lines, 1);
}

/* The store refuses set after set; it is asked every second. */
static void test_refused_for_ever(void **state)
{
    struct world *w = *state;
    unsigned before, eacces = 0;

    with_endpoint(w);
    will_give(w, (int64_t)USEC_PER_DAY);
    assert_int_equal(ask(w, 0), 0);
    will_give(w, (int64_t)USEC_PER_DAY);
    assert_int_equal(ask(w, 1), 0); /* the first one is obeyed at once */
    before = requests;
    will_give(w, (int64_t)USEC_PER_DAY);
    for (int s = 0; s < 3600; s++) {
        unsigned had = requests;
        int r = ask(w, identity_version(w->identity));

        assert_true(r == 0 || r == -EACCES);
        eacces += r == -EACCES;
        if (r < 0)
            assert_non_null(strstr(told.why, "and refused the ones before"));
        if (requests > had)
            will_give(w, (int64_t)USEC_PER_DAY);
        advance(w, USEC_PER_SEC);
    }
    assert_in_range(requests - before, 10, 80);
    assert_in_range(eacces, 3500, 3600);
    assert_int_equal(n_lines, 1);
}

static void test_google(void **state)
{
    struct world *w = *state;
    char host[64];

    (void)snprintf(host, sizeof host, "127.0.0.1:%u", loopback_port(w->server));
    assert_int_equal(setenv("GCE_METADATA_HOST", host, 1), 0);
    assert_int_equal(setenv("AWS_ACCESS_KEY_ID", "AKENV", 1), 0); /* not for Google */
    start(w, &(struct identity_options){.kind = IDENTITY_GOOGLE});
    (void)snprintf(w->reply, sizeof w->reply,
                   "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"access_token\":\"canary-g\","
                   "\"expires_in\":3000,\"token_type\":\"Bearer\"}");
    play(w);
    assert_int_equal(ask(w, 0), 0);
    assert_string_equal(identity_secrets(w->identity)->session_token, "canary-g");
    assert_null(identity_secrets(w->identity)->access_key);
    check_log(1, LOG_LEVEL_INFO, "Google's metadata server");
    /* The same token with another second to live is the same. */
    play(w);
    advance(w, 5 * USEC_PER_SEC);
    assert_int_equal(ask(w, 1), -EACCES);
    (void)unsetenv("GCE_METADATA_HOST");
}

/* ---- many who wait --------------------------------------------------------------------------- */

#define MANY 200

static void test_many(void **state)
{
    static struct waiter t[MANY];
    struct world *w = *state;
    unsigned heard = 0;

    memset(t, 0, sizeof t);
    with_endpoint(w);
    will_give(w, (int64_t)USEC_PER_HOUR);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(identity_wait(w->identity, 0, on_wait, &t[i], &t[i].wait), 0);
    for (size_t i = 0; i < MANY; i += 4) { /* pairs, of which the one told first cancels the other */
        t[i].cancels = &t[i + 1];
        t[i + 1].cancels = &t[i];
    }
    for (size_t i = 2; i < MANY; i += 4) {
        identity_wait_cancel(t[i].wait);
        t[i].wait = NULL;
    }
    while (t[3].times == 0)
        assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
    for (size_t i = 0; i < MANY; i++) {
        assert_true(t[i].times <= 1 && t[i].r == 0 && !t[i].wait);
        heard += t[i].times;
    }
    assert_int_equal(heard, MANY / 2);
    assert_int_equal(requests, 1);
}

struct eager {
    struct world *world;
    struct identity_wait *wait;
    unsigned times;
};

static void on_eager(void *userdata, int r, const char *why)
{
    struct eager *e = userdata;

    (void)why;
    assert_int_equal(r, -EAGAIN);
    if (++e->times < 5)
        assert_int_equal(identity_wait(e->world->identity, 0, on_eager, e, &e->wait), 0);
}

/* Who waits again when told of a failure is told again, without a request. */
static void test_waits_again(void **state)
{
    struct world *w = *state;
    struct eager e = {.world = w};

    with_endpoint(w);
    will_fail(w);
    assert_int_equal(identity_wait(w->identity, 0, on_eager, &e, &e.wait), 0);
    while (e.times < 5)
        assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
    settle(w);
    assert_int_equal(requests, 1);
}

static void test_cancelled(void **state)
{
    struct world *w = *state;
    struct waiter t = {0};

    with_endpoint(w);
    will_give(w, (int64_t)USEC_PER_HOUR);
    assert_int_equal(identity_wait(w->identity, 0, on_wait, &t, &t.wait), 0);
    identity_wait_cancel(t.wait);
    identity_wait_cancel(NULL);
    while (identity_version(w->identity) == 0)
        assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
    assert_int_equal(t.times, 0);
    assert_int_equal(ask(w, 0), 0);
    assert_int_equal(requests, 1);
}

static void test_freed_while_asking(void **state)
{
    const struct loopback_step wait = {.what = LOOPBACK_WAIT};
    struct world *w = *state;
    struct waiter t = {0};

    with_endpoint(w);
    loopback_play(w->server, &wait, 1);
    assert_int_equal(identity_wait(w->identity, 0, on_wait, &t, &t.wait), 0);
    while (requests == 0)
        assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
    identity_wait_cancel(t.wait);
    identity_free(w->identity);
    w->identity = NULL;
    (void)loopback_join(w->server);
    assert_int_equal(t.times, 0);
    identity_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_files),
        TEST(test_environment),
        TEST(test_no_set),
        TEST(test_refused),
        TEST(test_rotated),
        TEST(test_refresh),
        TEST(test_refresh_same),
        TEST(test_outage),
        TEST(test_wrong_clock),
        TEST(test_refused_for_ever),
        TEST(test_google),
        TEST(test_many),
        TEST(test_waits_again),
        TEST(test_cancelled),
        TEST(test_freed_while_asking),
    };

    creddoc_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
