/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "cli/advise/advice.h"

#define WAITS "waits for "
#define OF_POOL "of the pool "

/* What the size of each pool is called. */
static const struct {
    const char *pool; /* that the remark's name contains */
    const char *setting;
} settings[] = {
    {"database/sql", "DB.SetMaxOpenConns"}, {"pgx", "pool_max_conns"},
    {"puddle", "pool_max_conns"},           {"go-redis", "Options.PoolSize"},
    {"redigo", "Pool.MaxActive"},           {"mongo", "maxPoolSize"},
    {"fasthttp", "HostClient.MaxConns"},    {"net/http", "Transport.MaxConnsPerHost"},
};

static bool is_pool(const json_t *finding)
{
    const char *remark = json_string_value(json_object_get(finding, "remark"));

    return remark && strncmp(remark, WAITS, strlen(WAITS)) == 0 && strstr(remark, OF_POOL);
}

static const char *setting_of(const char *pool)
{
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        if (strstr(pool, settings[i].pool))
            return settings[i].setting;
    return NULL;
}

static double longest(const struct sample *s)
{
    return s->values[NUMBER_REQUEST_WAIT];
}

static void judge(const struct samples *s, struct advice *ret)
{
    char place[ADVICE_TEXT];
    const char *pool, *setting;
    struct advice_findings f;
    double waiting;

    advice_find(s, "blocked-in-request", is_pool, &f);
    ret->of = ret->samples = s->n;
    if (f.n < advice_enough(s->n)) {
        advice_say(ret->text, "Leave pools as they are: no request waits long for a connection.");
        advice_tell(ret, "wait_max_ns", "longest wait in a request", FORM_DURATION,
                    samples_median(s, longest, NULL));
        return;
    }
    pool = strstr(f.remark, OF_POOL) + strlen(OF_POOL);
    setting = setting_of(pool);
    waiting = finding_number(f.worst, "waiting_mean");
    advice_place(&f, place);
    ret->verdict = VERDICT_CHANGE;
    ret->samples = f.n;
    advice_say(ret->text,
               "Enlarge the pool %s%s%s%s that %s waits for, or give its connections back sooner.",
               pool, setting ? " (" : "", setting ? setting : "", setting ? ")" : "", place);
    advice_say(ret->reason,
               "With %.0f connections more nobody would wait, if the peer serves these as fast;"
               " rows that are not closed, or transactions around slow work, need no larger pool.",
               ceil(waiting));
    advice_tell(ret, "waiting_mean", "wait for one", FORM_MEAN, waiting);
    advice_tell(ret, "waits", "waits", FORM_COUNT, finding_number(f.worst, "waits"));
    advice_tell(ret, "wait_mean_ns", "each", FORM_DURATION,
                finding_number(f.worst, "wait_mean_ns"));
    advice_tell(ret, "wait_max_ns", "longest", FORM_DURATION,
                finding_number(f.worst, "wait_max_ns"));
    ret->weight = 1.4;
}

const struct advisor advice_pool = {"pool", "pools", judge};
