/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/identity_fixture.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/scratch.h"

#define N(a) (sizeof(a) / sizeof(a)[0])

usec shift;
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

unsigned requests, answers;
static unsigned unwiped;
static _Thread_local bool watched;        /* true on the test's thread only, not on the server's */
static const struct http_handlers *asker; /* the handlers of the one request under way */
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
    if (p && watched && memmem(p, malloc_usable_size(p), "canary", 6))
        unwiped++;
    __real_free(p);
}

static struct {
    enum log_level level;
    char text[600];
} lines[32];
size_t n_lines;

static void on_line(void *userdata, enum log_level level, const struct log_fields *fields,
                    const char *message)
{
    (void)userdata, (void)fields;
    assert_null(strstr(message, "canary"));
    assert_true(n_lines < N(lines));
    lines[n_lines].level = level;
    (void)snprintf(lines[n_lines++].text, sizeof(lines[0].text), "%s", message);
}

/* Checks that the log has `n` lines, and the last one's level and text. */
void check_log(size_t n, enum log_level level, const char *part)
{
    if (n_lines != n || lines[n - 1].level != level || !strstr(lines[n - 1].text, part)) {
        for (size_t i = 0; i < n_lines; i++)
            print_error("%d %s\n", (int)lines[i].level, lines[i].text);
        fail_msg("not %zu lines, or not \"%s\"", n, part);
    }
}

static const char *const variables[] = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ENDPOINT_URL",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "HOME",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
};

int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->dir = scratch_new(NULL);
    w->descriptors = scratch_descriptors();
    assert_true(sd_event_new(&w->event) >= 0);
    assert_int_equal(http_new(w->event, "contraced/test", &w->http), 0);
    w->server = loopback_new(NULL);
    for (size_t i = 0; i < N(variables); i++)
        assert_int_equal(unsetenv(variables[i]), 0);
    memset(timers, 0, sizeof(timers));
    shift = 0;
    requests = answers = unwiped = 0;
    watched = true;
    n_lines = 0;
    log_set_sink(on_line, NULL);
    *state = w;
    return 0;
}

int teardown(void **state)
{
    struct world *w = *state;

    identity_free(w->identity);
    loopback_free(w->server);
    http_free(w->http);
    sd_event_unref(w->event);
    assert_int_equal(scratch_descriptors(), w->descriptors);
    assert_int_equal(unwiped, 0);
    scratch_free(w->dir);
    explicit_bzero(w, sizeof(*w));
    free(w);
    log_set_sink(NULL, NULL);
    return 0;
}

void settle(struct world *w)
{
    while (sd_event_run(w->event, 0) > 0)
        ;
}

void advance(struct world *w, usec by)
{
    shift += by;
    for (size_t i = 0; timers[i].source; i++)
        assert_true(set_shifted(timers[i].source, timers[i].at) >= 0);
    settle(w);
}

void start(struct world *w, const struct identity_options *o)
{
    static const struct reach reach;
    struct identity_options options = *o;

    options.reach = &reach;
    identity_free(w->identity);
    w->identity = NULL;
    memset(timers, 0, sizeof(timers));
    assert_int_equal(identity_new(w->event, w->http, &options, &w->identity), 0);
    assert_null(identity_secrets(w->identity));
    assert_int_equal(identity_version(w->identity), 0);
    assert_true(identity_expiry(w->identity) == USEC_NEVER);
}

void on_wait(void *userdata, int r, const char *why)
{
    struct waiter *t = userdata;

    t->wait = NULL;
    t->times++;
    t->r = r;
    (void)snprintf(t->why, sizeof(t->why), "%s", why);
    assert_null(strstr(why, "canary"));
    assert_true((r == 0) == (why[0] == '\0'));
    if (t->cancels) {
        identity_wait_cancel(t->cancels->wait);
        t->cancels->wait = NULL;
    }
}

struct waiter told;

/* Calls identity_wait, waits for its end and returns the result. */
int ask(struct world *w, unsigned refused)
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

const char *secret_key(struct world *w)
{
    return identity_secrets(w->identity)->secret_key;
}

void with_endpoint(struct world *w)
{
    char url[64];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", loopback_port(w->server));
    assert_int_equal(setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1), 0);
    start(w, &(struct identity_options){0});
}

/* Plays the answer to the next request. If one is waiting to be played already, its text was just
 * replaced. */
void play(struct world *w)
{
    if (w->playing_for == requests + 1)
        return;
    w->playing_for = requests + 1;
    w->step = (struct loopback_step){.what = LOOPBACK_SEND, .data = w->reply};
    loopback_play(w->server, &w->step, 1);
}

/* The next answer is a new set of credentials that expires so long from now; a negative time is in
 * the past. */
void will_give(struct world *w, int64_t life)
{
    char expiration[CLOCK_RFC3339_SIZE];
    usec now = 0;

    assert_true(sd_event_now(w->event, CLOCK_REALTIME, &now) >= 0);
    (void)snprintf(w->reply, sizeof(w->reply),
                   "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"AccessKeyId\":\"AK%u\","
                   "\"SecretAccessKey\":\"canary-%u\",\"Token\":\"t\",\"Expiration\":\"%s\"}",
                   w->keys + 1, w->keys + 1, clock_rfc3339(now + (usec)life, expiration));
    w->keys++;
    play(w);
}

void will_fail(struct world *w)
{
    (void)snprintf(w->reply, sizeof(w->reply), "HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\n");
    play(w);
}

/* Runs the loop until the request is answered. */
void run_request(struct world *w, unsigned before)
{
    assert_int_equal(requests, before + 1);
    while (answers < requests)
        assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
}
