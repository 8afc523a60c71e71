/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/outcome/meters.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Bounds are fixed, so that numbers of different versions can be added up. */
static const double duration_bounds[] = {0.5, 1, 2, 2.25, 2.5, 3, 4, 5, 7.5, 10, 17, 30, 60, 300};
static const double delay_bounds[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                      1,     2.5,  5,     10,   30,  60};
static const double upload_bounds[] = {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300};
static const double inspection_bounds[] = {0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

#define HISTOGRAM(b) {.bounds = (b), .n = sizeof(b) / sizeof((b)[0])}

const char *meters_label_name(size_t i)
{
    if (i < CODES_LABELS)
        return code_text((enum code)i);
    return i == CODES_LABELS ? CODE_NOT_INSPECTED : METERS_OTHER;
}

static double seconds(usec t)
{
    return (double)t / (double)USEC_PER_SEC;
}

static void observe(struct meters_histogram *h, double value)
{
    size_t i = 0;

    while (i < h->n && value > h->bounds[i])
        i++;
    h->counts[i]++;
    h->sum += value;
}

/* True with the job's index, or false with the index at which to insert it. */
static bool find(const struct meters *m, const char *name, size_t *ret)
{
    size_t low = 0, high = m->n_jobs;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(m->jobs[middle]->name, name);

        if (order == 0) {
            *ret = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret = low;
    return false;
}

static void job_free(struct meters_job *j)
{
    if (!j)
        return;
    for (size_t i = 0; i < KINDS; i++)
        free(j->kinds[i]);
    free(j->name);
    free(j);
}

/* The job's numbers of this kind, made at the first call; NULL when memory is short. */
static struct meters_kind *kind_of(struct meters_job *j, enum kind kind)
{
    if (!j->kinds[kind]) {
        j->kinds[kind] = calloc(1, sizeof(*j->kinds[kind]));
        if (j->kinds[kind])
            j->kinds[kind]->duration = (struct meters_histogram)HISTOGRAM(duration_bounds);
    }
    return j->kinds[kind];
}

/* A new job that has the numbers of KIND_TRACE. NULL when memory is short. */
static struct meters_job *job_new(const char *name)
{
    struct meters_job *j = calloc(1, sizeof(*j));

    if (!j)
        return NULL;
    j->name = strdup(name);
    if (!j->name || !kind_of(j, KIND_TRACE)) {
        job_free(j);
        return NULL;
    }
    return j;
}

static struct meters_job *add(struct meters *m, const char *name, size_t at)
{
    struct meters_job *j = job_new(name);
    struct meters_job **jobs = reallocarray(m->jobs, m->n_jobs + 1, sizeof(struct meters_job *));

    if (jobs)
        m->jobs = jobs;
    if (!j || !jobs) {
        job_free(j);
        return NULL;
    }
    memmove(jobs + at + 1, jobs + at, (m->n_jobs - at) * sizeof(struct meters_job *));
    jobs[at] = j;
    m->n_jobs++;
    return j;
}

/* The numbers of this job, never NULL. If a configured job is really named METERS_OTHER, it counts
 * with the others: two metric series must not have the same name. */
static struct meters_job *job(struct meters *m, const char *name)
{
    struct meters_job *j = NULL;
    size_t at;

    if (strcmp(name, METERS_OTHER) == 0)
        return m->other;
    if (find(m, name, &at))
        return m->jobs[at];
    if (m->n_jobs < METERS_JOBS_MAX)
        j = add(m, name, at);
    return j ? j : m->other;
}

size_t meters_job_index(const struct meters *m, const char *name)
{
    size_t at;

    return strcmp(name, METERS_OTHER) != 0 && find(m, name, &at) ? at : m->n_jobs;
}

void meters_expect(struct meters *m, const char *name, unsigned artifacts)
{
    struct meters_job *j = job(m, name);

    for (unsigned kind = 0; kind < KINDS; kind++) {
        if (artifacts & 1u << kind)
            (void)kind_of(j, (enum kind)kind);
    }
}

void meters_captured(struct meters *m, const char *name, const struct meters_capture *c)
{
    struct meters_job *j = job(m, name);
    struct meters_kind *k = kind_of(j, c->kind);

    if (!k) /* no memory for this job's own numbers of the kind */
        k = m->other->kinds[c->kind];
    m->totals->captures[c->outcome]++;
    k->captures[c->outcome]++;
    if (c->sent > 0 && c->due > 0)
        observe(&m->start_delay, seconds(c->sent > c->due ? c->sent - c->due : 0));
    if (c->start == 0)
        return;
    m->totals->bytes += c->bytes;
    k->bytes += c->bytes;
    m->totals->last_success = c->start;
    if (c->kind == KIND_TRACE)
        j->last_success = c->start;
    observe(&k->duration, seconds(c->ended > c->sent ? c->ended - c->sent : 0));
}

void meters_inspected(struct meters *m, enum inspection_end end, usec took)
{
    m->totals->inspections[end]++;
    if (end == INSPECTION_OK)
        observe(&m->inspection, seconds(took));
}

void meters_labelled(struct meters *m, const char *name, const char *label)
{
    size_t i = 0;

    while (i < METERS_LABELS - 1 && strcmp(meters_label_name(i), label) != 0)
        i++;
    job(m, name)->labels[i]++;
}

void meters_uploaded(struct meters *m, usec took)
{
    observe(&m->upload, seconds(took));
}

int meters_new(struct counters *totals, struct meters **ret)
{
    struct meters *m = calloc(1, sizeof(*m));
    struct meters_job *other = job_new(METERS_OTHER);
    bool whole = m && other;

    /* Allocates all kinds now, because a report must not need memory. */
    for (unsigned kind = 0; whole && kind < KINDS; kind++)
        whole = kind_of(other, (enum kind)kind);
    if (!whole) {
        free(m);
        job_free(other);
        return -ENOMEM;
    }
    *m = (struct meters){
        .totals = totals,
        .other = other,
        .start_delay = HISTOGRAM(delay_bounds),
        .upload = HISTOGRAM(upload_bounds),
        .inspection = HISTOGRAM(inspection_bounds),
    };
    *ret = m;
    return 0;
}

void meters_free(struct meters *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n_jobs; i++)
        job_free(m->jobs[i]);
    free(m->jobs);
    job_free(m->other);
    free(m);
}
