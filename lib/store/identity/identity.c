/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/identity/identity.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "lib/store/identity/credaws.h"
#include "lib/store/identity/credazure.h"
#include "lib/store/identity/credgoogle.h"
#include "lib/store/identity/credremote.h"
#include "lib/store/identity/credroute.h"
#include "lib/store/identity/refresh.h"
#include "lib/store/identity/waiters.h"

#define WHY_SIZE CREDROUTE_WHY_SIZE
#define LOOK_EVERY USEC_PER_MIN /* when a caller asks, check files at most this often */
#define REFRESH_ACCURACY USEC_PER_SEC

/* What was logged last about the credentials in use; only something worse is logged again. */
enum told {
    TOLD_WELL,
    TOLD_STALE,   /* the files changed and cannot be read */
    TOLD_URGENT,  /* no new ones could be fetched, and these expire soon */
    TOLD_EXPIRED, /* … and these have */
};

struct identity {
    sd_event *event;
    struct http *http;
    enum identity_kind kind;
    const struct reach *reach;
    char *paths[4];
    char *region;
    struct credaws_config config;

    struct secret_set set;
    unsigned version;
    struct refresh refresh;
    bool from_files; /* the source is files, which may change */
    char label[CREDROUTE_LABEL_SIZE];
    uint64_t stamp;
    usec looked_at; /* boot time */
    enum told told;

    bool fetching;                    /* since a fetch was decided on */
    bool by_refusal;                  /* because the store refused the credentials in use */
    struct credremote *remote;        /* the service is being asked */
    char found[CREDROUTE_LABEL_SIZE]; /* whose answer is awaited */
    char remark[CREDROUTE_LABEL_SIZE];
    bool found_in_files;
    uint64_t found_stamp;
    int last_r; /* of the last fetch, for callers that ask before the next one is allowed */
    char last_why[WHY_SIZE];
    uint64_t random;

    struct identity_wait *waiting;
    sd_event_source *soon; /* starts a fetch, or tells waiters the result of the last one */
    sd_event_source *due;  /* real time: ahead of the expiry */
    sd_event_source *retry;
};

/* In [0, 1): spreads the fetches of a fleet. */
static double next_random(struct identity *i)
{
    return (double)(random_next(&i->random) >> 11) / 9007199254740992.0;
}

static struct refresh_now this_moment(struct identity *i)
{
    return (struct refresh_now){.real = loop_now(i->event, CLOCK_REALTIME),
                                .boot = loop_now(i->event, CLOCK_BOOTTIME),
                                .random = next_random(i)};
}

/* If there are no credentials at all, waiters are told of the failure, and they log it. */
static void report_failure(struct identity *i, const char *why)
{
    static const char *const what[] = {
        [TOLD_STALE] = "those in use are kept",
        [TOLD_URGENT] = "those in use expire soon; trying again",
        [TOLD_EXPIRED] = "those in use have expired; trying again",
    };
    enum credplan_age a = refresh_age(&i->refresh, loop_now(i->event, CLOCK_REALTIME));
    enum told now = a == CREDPLAN_EXPIRED ? TOLD_EXPIRED
                  : a == CREDPLAN_URGENT  ? TOLD_URGENT
                                          : TOLD_WELL;

    if (i->set.expiry == USEC_NEVER)
        now = TOLD_STALE;
    if (i->version == 0 || now <= i->told)
        return;
    i->told = now;
    log_warn("upload: no new credentials: %s: %s", why, what[now]);
}

static void report_set(struct identity *i, bool other_source)
{
    if (other_source)
        log_info("upload: credentials come from %s", i->label);
    else if (i->told != TOLD_WELL)
        log_info("upload: there are credentials from %s again", i->label);
    if (other_source && i->remark[0])
        log_warn("upload: %s", i->remark);
    i->told = TOLD_WELL;
}

static void report_dead(struct identity *i)
{
    if (i->told == TOLD_EXPIRED)
        return;
    i->told = TOLD_EXPIRED;
    log_warn("upload: the credentials from %s had expired when they came: is this machine's clock "
             "right?",
             i->label);
}

static void arm(sd_event_source *s, usec at)
{
    if (at != USEC_NEVER)
        (void)sd_event_source_set_time(s, at);
    (void)sd_event_source_set_enabled(s, at != USEC_NEVER ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static void schedule(struct identity *i)
{
    const struct refresh_now now = this_moment(i);
    usec real, boot;

    refresh_next(&i->refresh, &now, &real, &boot);
    arm(i->due, real);
    arm(i->retry, boot);
}

static void finish_badly(struct identity *i, int r, const char *why)
{
    const struct refresh_now now = this_moment(i);

    refresh_failed(&i->refresh, &now);
    i->last_r = r;
    (void)snprintf(i->last_why, sizeof(i->last_why), "%s", why);
    report_failure(i, why);
}

/*
 * The source still has the credentials in use. For waiters whose store refused those it is a
 * failure.
 */
static void finish_same(struct identity *i, struct secret_set *set)
{
    const struct refresh_now now = this_moment(i);

    refresh_same(&i->refresh, set->expiry, i->by_refusal, &now);
    secret_move(set, &i->set);
    i->last_r = -EACCES;
    (void)snprintf(i->last_why, sizeof(i->last_why),
                   "the store refuses the keys from %s, and it still has the same: put valid ones "
                   "there",
                   i->label);
    if (refresh_age(&i->refresh, now.real) == CREDPLAN_EXPIRED)
        report_failure(i, "the source still has the old ones");
    else
        report_set(i, false);
}

static void finish_other(struct identity *i, struct secret_set *set)
{
    const struct refresh_now now = this_moment(i);

    refresh_renewed(&i->refresh, set->expiry, i->by_refusal, &now);
    secret_move(set, &i->set);
    i->version = i->version == UINT_MAX ? 1 : i->version + 1;
    i->last_r = -EACCES;
    (void)snprintf(i->last_why, sizeof(i->last_why),
                   "the store refuses the keys from %s; it is asked for others after a pause",
                   i->label);
}

/* `detail` is what the fetch told about the source. */
static void finish_well(struct identity *i, struct secret_set *set, const char *detail)
{
    char label[CREDROUTE_LABEL_SIZE];
    bool other, dead;

    if (*detail)
        (void)snprintf(label, sizeof(label), "%.180s, %.130s", i->found, detail);
    else
        memcpy(label, i->found, sizeof(label));
    other = strcmp(i->label, label) != 0;
    memcpy(i->label, label, sizeof(label));
    i->from_files = i->found_in_files;
    i->stamp = i->found_stamp;
    i->looked_at = loop_now(i->event, CLOCK_BOOTTIME);
    if (i->version > 0 && secret_same_keys(set, &i->set)) {
        finish_same(i, set);
        return;
    }
    finish_other(i, set);
    dead = refresh_age(&i->refresh, i->refresh.since) == CREDPLAN_EXPIRED;
    if (other || !dead)
        report_set(i, other);
    if (dead)
        report_dead(i);
}

/* Takes the secrets out of `set`. Not to be called from identity_wait, as it calls waiters. */
static void finish(struct identity *i, int r, struct secret_set *set, const char *text)
{
    i->fetching = false;
    if (r == 0)
        finish_well(i, set, text);
    else
        finish_badly(i, r, text);
    i->by_refusal = false;
    schedule(i);
    waiters_tell(&i->waiting, i->version, i->last_r, i->last_why);
}

static void on_remote(void *userdata, int r, struct secret_set *secrets, const char *text)
{
    struct identity *i = userdata;

    i->remote = NULL;
    finish(i, r, secrets, text);
}

static int find(const struct identity *i, struct credroute *ret, char *why, size_t why_size)
{
    switch (i->kind) {
    case IDENTITY_AWS: return credaws_find(&i->config, ret, why, why_size);
    case IDENTITY_GOOGLE: return credgoogle_find(i->paths[3], ret, why, why_size);
    case IDENTITY_AZURE: return credazure_find(ret, why, why_size);
    }
    return -EINVAL;
}

static void fetch(struct identity *i)
{
    char why[WHY_SIZE] = "";
    struct credroute route;
    struct secret_set set;
    int r;

    i->fetching = true;
    i->found_stamp = credaws_stamp(&i->config);
    credroute_init(&route);
    secret_init(&set);
    r = find(i, &route, why, sizeof(why));
    if (r == 0) {
        memcpy(i->found, route.label, sizeof(i->found));
        memcpy(i->remark, route.remark, sizeof(i->remark));
        i->found_in_files = route.from_files;
    }
    if (r == 0 && route.n_steps > 0)
        r = credremote_start(i->event, i->http, i->reach, &route, on_remote, i, &i->remote, why,
                             sizeof(why));
    else if (r == 0)
        secret_move(&route.secrets, &set);
    credroute_done(&route);
    if (!i->remote)
        finish(i, r, &set, why);
    secret_done(&set);
}

static int on_soon(sd_event_source *s, void *userdata)
{
    struct identity *i = userdata;

    (void)s;
    if (!i->fetching)
        waiters_tell(&i->waiting, i->version, i->last_r, i->last_why);
    else if (!i->remote)
        fetch(i);
    return 0;
}

static int on_time(sd_event_source *s, uint64_t at, void *userdata)
{
    struct identity *i = userdata;

    (void)s, (void)at;
    if (!i->fetching)
        fetch(i);
    return 0;
}

static int arm_soon(struct identity *i)
{
    return sd_event_source_set_enabled(i->soon, SD_EVENT_ONESHOT) < 0 ? -ENOMEM : 0;
}

/* Files are checked here, so that a rotated key is used before the store refuses the old one. */
static void look_at_files(struct identity *i)
{
    usec now = loop_now(i->event, CLOCK_BOOTTIME);
    uint64_t stamp;

    if (i->kind != IDENTITY_AWS || i->fetching || now - i->looked_at < LOOK_EVERY || !i->from_files)
        return;
    i->looked_at = now;
    stamp = credaws_stamp(&i->config);
    if (stamp == i->stamp || arm_soon(i) < 0)
        return;
    i->stamp = stamp;
    i->fetching = true;
}

int identity_wait(struct identity *i, unsigned refused, identity_fn fn, void *userdata,
                  struct identity_wait **ret)
{
    struct identity_wait *w;

    if (i->version > 0 && i->version != refused) {
        look_at_files(i);
        return 1;
    }
    if (!i->remote && arm_soon(i) < 0)
        return -ENOMEM;
    w = waiters_add(&i->waiting, refused, fn, userdata);
    if (!w)
        return -ENOMEM;
    if (!i->fetching)
        i->fetching = loop_now(i->event, CLOCK_BOOTTIME) >= i->refresh.next_at;
    i->by_refusal = i->by_refusal || i->version > 0;
    *ret = w;
    return 0;
}

const struct secret_set *identity_secrets(const struct identity *i)
{
    return i->version > 0 ? &i->set : NULL;
}

unsigned identity_version(const struct identity *i)
{
    return i->version;
}

usec identity_expiry(const struct identity *i)
{
    return i->version > 0 ? i->set.expiry : USEC_NEVER;
}

static int copy_text(const char *text, char **ret)
{
    *ret = text && *text ? strdup(text) : NULL;
    return text && *text && !*ret ? -ENOMEM : 0;
}

static int copy_options(struct identity *i, const struct identity_options *o)
{
    if (copy_text(o->access_key_file, &i->paths[0]) < 0 ||
        copy_text(o->secret_key_file, &i->paths[1]) < 0 ||
        copy_text(o->session_token_file, &i->paths[2]) < 0 ||
        copy_text(o->credentials_file, &i->paths[3]) < 0 || copy_text(o->region, &i->region) < 0)
        return -ENOMEM;
    i->config = (struct credaws_config){.access_key_file = i->paths[0],
                                        .secret_key_file = i->paths[1],
                                        .session_token_file = i->paths[2],
                                        .region = i->region};
    return 0;
}

static int add_timer(struct identity *i, clockid_t clock, sd_event_source **ret)
{
    int r = sd_event_add_time(i->event, ret, clock, 0, REFRESH_ACCURACY, on_time, i);

    return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

static int add_sources(struct identity *i)
{
    if (sd_event_add_defer(i->event, &i->soon, on_soon, i) < 0 ||
        sd_event_source_set_enabled(i->soon, SD_EVENT_OFF) < 0 ||
        add_timer(i, CLOCK_REALTIME, &i->due) < 0 || add_timer(i, CLOCK_BOOTTIME, &i->retry) < 0)
        return -ENOMEM;
    return 0;
}

int identity_new(sd_event *event, struct http *http, const struct identity_options *o,
                 struct identity **ret)
{
    struct identity *i = calloc(1, sizeof(*i));

    if (!i)
        return -ENOMEM;
    i->event = sd_event_ref(event);
    i->http = http;
    i->kind = o->kind;
    i->reach = o->reach;
    secret_init(&i->set);
    i->random = loop_now(i->event, CLOCK_REALTIME) ^ (loop_now(i->event, CLOCK_BOOTTIME) << 20);
    if (copy_options(i, o) < 0 || add_sources(i) < 0) {
        identity_free(i);
        return -ENOMEM;
    }
    *ret = i;
    return 0;
}

void identity_free(struct identity *i)
{
    if (!i)
        return;
    credremote_cancel(i->remote);
    sd_event_source_disable_unref(i->soon);
    sd_event_source_disable_unref(i->due);
    sd_event_source_disable_unref(i->retry);
    secret_done(&i->set);
    for (size_t n = 0; n < 4; n++)
        free(i->paths[n]);
    free(i->region);
    sd_event_unref(i->event);
    free(i);
}
