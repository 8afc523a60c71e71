/* SPDX-License-Identifier: Apache-2.0 */

/*
 * http_sd_configs: targets from servers that list them. Each is asked at once and then every
 * refresh_interval; after a failure sooner, less and less often. Until it answers again its last
 * good targets stay, also across reloads.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "daemon/source/listing.h"
#include "daemon/source/target_source.h"
#include "lib/config/group.h"
#include "lib/config/http_sd.h"

#define USER_AGENT "contraced/" PACKAGE_VERSION
#define AGAIN_FIRST USEC_PER_SEC /* after the first failure; at most the refresh_interval */

/* A server that one job asks. */
struct feed {
    struct http_sd_state *owner;
    char *job; /* by name: another configuration may have another order */
    struct http_sd sd;
    struct target_list targets; /* the last good ones */
    bool good;                  /* it has answered well at least once */
    bool broken;                /* the log says that it does not */
    unsigned failures;          /* in a row */
    uint64_t random;            /* for its waits */
    struct listing *listing;    /* under way; NULL: none */
    sd_event_source *due;
};

struct http_sd_state {
    struct target_source_context context;
    struct http *http; /* NULL until a job needs it */
    struct feed **feeds;
    size_t n;
};

static void feed_free(struct feed *f)
{
    if (!f)
        return;
    listing_cancel(f->listing);
    sd_event_source_disable_unref(f->due);
    target_list_done(&f->targets);
    http_sd_done(&f->sd);
    free(f->job);
    free(f);
}

static void feeds_free(struct feed **feeds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        feed_free(feeds[i]);
    free(feeds);
}

/* When it is asked next. */
static void arm(struct feed *f)
{
    const struct backoff backoff = {.base = AGAIN_FIRST, .cap = f->sd.refresh};
    usec wait = f->sd.refresh;

    if (f->failures > 0)
        wait =
            backoff_wait(&backoff, f->failures - 1, backoff_ceiling(&backoff, f->failures - 1) / 2,
                         random_next(&f->random));
    if (wait > f->sd.refresh)
        wait = f->sd.refresh;
    (void)sd_event_source_set_time_relative(f->due, wait);
    (void)sd_event_source_set_enabled(f->due, SD_EVENT_ONESHOT);
}

static void take(struct feed *f, struct target_list *targets)
{
    char shown[LISTING_URL_SHOWN];

    listing_url_shown(f->sd.url, shown);
    if (!f->good || f->broken)
        log_info("http_sd %s lists %zu target%s for job %s%s", shown, targets->n,
                 targets->n == 1 ? "" : "s", f->job, f->broken ? ": it is good again" : "");
    target_list_done(&f->targets);
    f->targets = *targets;
    *targets = (struct target_list){0};
    f->good = true;
    f->broken = false;
    f->failures = 0;
    f->owner->context.changed(f->owner->context.userdata);
}

static void fail(struct feed *f, const char *why)
{
    char shown[LISTING_URL_SHOWN];

    listing_url_shown(f->sd.url, shown);
    if (!f->broken)
        log_warn("http_sd %s does not list targets, %s; it is asked again: %s", shown,
                 f->good ? "the last good ones stay" : "there are none of it yet", why);
    f->broken = true;
    if (f->failures < 64)
        f->failures++;
}

static void on_listed(void *userdata, struct target_list *targets, const char *why)
{
    struct feed *f = userdata;

    f->listing = NULL;
    if (targets)
        take(f, targets);
    else
        fail(f, why);
    arm(f);
}

static int on_due(sd_event_source *s, uint64_t now, void *userdata)
{
    struct feed *f = userdata;
    char why[LISTING_TEXT_MAX];

    (void)s;
    (void)now;
    if (listing_start(f->owner->http, &f->sd, on_listed, f, &f->listing, why) < 0) {
        fail(f, why);
        arm(f);
    }
    return 0;
}

static int http_sd_new(const struct target_source_context *context, void **ret)
{
    struct http_sd_state *h = calloc(1, sizeof(*h));

    if (!h)
        return -ENOMEM;
    h->context = *context;
    *ret = h;
    return 0;
}

static void http_sd_free(void *state)
{
    struct http_sd_state *h = state;

    feeds_free(h->feeds, h->n);
    http_free(h->http);
    free(h);
}

static int feed_new(struct http_sd_state *h, const char *job, const struct http_sd *from,
                    struct feed **ret)
{
    struct feed *f = calloc(1, sizeof(*f));
    int r;

    if (!f)
        return -ENOMEM;
    f->owner = h;
    f->sd.refresh = from->refresh;
    f->random = random_fnv(random_fnv(clock_boot(), job), from->url);
    f->job = strdup(job);
    f->sd.url = strdup(from->url);
    r = f->job && f->sd.url ? access_copy(&from->access, &f->sd.access) : -ENOMEM;
    if (r == 0)
        r = sd_event_add_time(h->context.event, &f->due, CLOCK_BOOTTIME, 0, 1, on_due, f);
    if (r < 0) {
        feed_free(f);
        return r;
    }
    *ret = f;
    return 0;
}

static int make_feeds(struct http_sd_state *h, const struct config *config, struct feed ***ret,
                      size_t *ret_n)
{
    struct feed **feeds;
    size_t total = 0, n = 0;
    int r = 0;

    for (size_t j = 0; j < config->n_jobs; j++)
        total += config->jobs[j].n_http_sd;
    feeds = calloc(total + 1, sizeof(struct feed *));
    if (!feeds)
        return -ENOMEM;
    if (total > 0 && !h->http)
        r = http_new(h->context.event, USER_AGENT, &h->http);
    for (size_t j = 0; j < config->n_jobs; j++) {
        for (size_t i = 0; r == 0 && i < config->jobs[j].n_http_sd; i++) {
            r = feed_new(h, config->jobs[j].name, &config->jobs[j].http_sd[i], &feeds[n]);
            n += r == 0;
        }
    }
    if (r < 0) {
        feeds_free(feeds, n);
        return r;
    }
    *ret = feeds;
    *ret_n = n;
    return 0;
}

/* What was known of the same server for the same job. */
static void inherit(struct http_sd_state *h, struct feed *f)
{
    for (size_t i = 0; i < h->n; i++) {
        struct feed *old = h->feeds[i];

        if (!old->good || strcmp(old->job, f->job) != 0 || strcmp(old->sd.url, f->sd.url) != 0)
            continue;
        f->targets = old->targets;
        f->good = true;
        f->broken = old->broken;
        old->targets = (struct target_list){0};
        old->good = false;
        return;
    }
}

static int http_sd_set(void *state, const struct config *config)
{
    struct http_sd_state *h = state;
    struct feed **feeds;
    size_t n;
    int r = make_feeds(h, config, &feeds, &n);

    if (r < 0)
        return r;
    for (size_t i = 0; i < n; i++)
        inherit(h, feeds[i]);
    feeds_free(h->feeds, h->n);
    h->feeds = feeds;
    h->n = n;
    return 0;
}

static int http_sd_targets(void *state, const struct config *config, size_t i,
                           struct target_sink *to)
{
    struct http_sd_state *h = state;
    int r = 0;

    for (size_t k = 0; r == 0 && k < h->n; k++) {
        const struct feed *f = h->feeds[k];

        if (strcmp(f->job, config->jobs[i].name) == 0)
            r = target_sink_put_list(to, &f->targets, "__meta_url", f->sd.url);
    }
    return r;
}

/* Servers are not asked: the configuration is to be checked where they are out of reach, too. */
static void http_sd_check(const struct config *config, FILE *warnings, struct diags *d)
{
    char shown[LISTING_URL_SHOWN];

    (void)d;
    for (size_t j = 0; j < config->n_jobs; j++) {
        for (size_t i = 0; i < config->jobs[j].n_http_sd; i++) {
            listing_url_shown(config->jobs[j].http_sd[i].url, shown);
            (void)fprintf(warnings,
                          "contraced: warning: http_sd %s is not asked by --check-config\n", shown);
        }
    }
}

const struct target_source source_http_sd = {
    .new = http_sd_new,
    .free = http_sd_free,
    .set = http_sd_set,
    .targets = http_sd_targets,
    .check = http_sd_check,
};
