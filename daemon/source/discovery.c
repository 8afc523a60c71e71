/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/source/discovery.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "daemon/source/target_sink.h"
#include "daemon/source/target_source.h"
#include "lib/config/group.h"

/* All sources, in the order in which their targets are listed. */
static const struct target_source *const sources[] = {
    &source_static,
    &source_file_sd,
    &source_http_sd,
};

#define N_SOURCES (sizeof(sources) / sizeof(sources[0]))

/* What the log has said of a job. */
struct said {
    char *job;
    size_t invalid;
};

struct discovery {
    void *states[N_SOURCES];
    struct said *said;
    size_t n_said; /* jobs that were looked at; at most CONFIG_JOBS_MAX */
};

int discovery_new(sd_event *event, discovery_changed_fn fn, void *userdata, struct discovery **ret)
{
    const struct target_source_context context = {event, fn, userdata};
    struct discovery *d = calloc(1, sizeof(*d));

    if (!d)
        return -ENOMEM;
    for (size_t s = 0; s < N_SOURCES; s++) {
        int r = sources[s]->new ? sources[s]->new(&context, &d->states[s]) : 0;

        if (r < 0) {
            discovery_free(d);
            return r;
        }
    }
    *ret = d;
    return 0;
}

void discovery_free(struct discovery *d)
{
    if (!d)
        return;
    for (size_t s = 0; s < N_SOURCES; s++) {
        if (d->states[s])
            sources[s]->free(d->states[s]);
    }
    for (size_t i = 0; i < d->n_said; i++)
        free(d->said[i].job);
    free(d->said);
    free(d);
}

/* NULL when memory is short: then nothing is logged. */
static struct said *said_find(struct discovery *d, const char *job)
{
    struct said *said;
    char *copy;

    for (size_t i = 0; i < d->n_said; i++) {
        if (strcmp(d->said[i].job, job) == 0)
            return &d->said[i];
    }
    if (d->n_said == CONFIG_JOBS_MAX)
        return NULL;
    said = reallocarray(d->said, d->n_said + 1, sizeof(*said));
    if (!said)
        return NULL;
    d->said = said;
    copy = strdup(job);
    if (!copy)
        return NULL;
    said[d->n_said] = (struct said){.job = copy};
    return &said[d->n_said++];
}

int discovery_set(struct discovery *d, const struct config *config)
{
    int r = 0;

    for (size_t s = 0; r == 0 && s < N_SOURCES; s++) {
        if (sources[s]->set)
            r = sources[s]->set(d->states[s], config);
    }
    return r;
}

static int gather(struct discovery *d, const struct config *config, size_t i, target_sink_fn fn,
                  void *userdata, struct target_list *ret)
{
    struct target_list list = {0};
    struct target_sink *sink = target_sink_new(&config->jobs[i], &list, fn, userdata);
    int r = sink ? 0 : -ENOMEM;

    for (size_t s = 0; r == 0 && s < N_SOURCES; s++)
        r = sources[s]->targets(d->states[s], config, i, sink);
    target_sink_free(sink);
    if (r < 0) {
        target_list_done(&list);
        return r;
    }
    *ret = list;
    return 0;
}

/* Counts the invalid ones, and keeps what the first of them is and why. */
struct count {
    size_t n, invalid;
    char address[TARGET_ADDRESS_SHOWN];
    const char *why;
};

static void on_fate(void *userdata, const struct target_fate *fate)
{
    struct count *c = userdata;

    c->n++;
    if (fate->end != TARGET_INVALID)
        return;
    if (c->invalid++ == 0) {
        memcpy(c->address, fate->address, sizeof(c->address));
        c->why = fate->why;
    }
}

/* Logs the invalid ones of a job when there are others than the last time. */
static void say_invalid(struct discovery *d, const struct job_config *job, const struct count *c)
{
    struct said *s = said_find(d, job->name);
    struct buf shown;

    if (!s || s->invalid == c->invalid)
        return;
    s->invalid = c->invalid;
    if (c->invalid == 0) {
        log_info("job %s: all targets that are left can be captured again", job->name);
        return;
    }
    buf_init(&shown, 4 * sizeof(c->address));
    buf_add_escaped(&shown, c->address, strlen(c->address));
    log_warn(
        "job %s: %zu of %zu targets found cannot be captured and are left out; the first, %s: %s",
        job->name, c->invalid, c->n, *buf_str(&shown) ? buf_str(&shown) : "without an address",
        c->why);
    buf_done(&shown);
}

int discovery_targets(struct discovery *d, const struct config *config, size_t i,
                      struct target_list *ret)
{
    struct count c = {0};
    int r = gather(d, config, i, on_fate, &c, ret);

    if (r == 0)
        say_invalid(d, &config->jobs[i], &c);
    return r;
}

int discovery_survey(struct discovery *d, const struct config *config, size_t i, target_sink_fn fn,
                     void *userdata)
{
    struct target_list list;
    int r = gather(d, config, i, fn, userdata, &list);

    if (r == 0)
        target_list_done(&list);
    return r;
}

void discovery_check(const struct config *config, FILE *warnings, struct diags *d)
{
    for (size_t s = 0; s < N_SOURCES; s++) {
        if (sources[s]->check)
            sources[s]->check(config, warnings, d);
    }
}
