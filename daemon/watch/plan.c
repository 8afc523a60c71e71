/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/watch/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config/trigger.h"

struct plan {
    struct plan_job *jobs; /* those with rules, by name */
    size_t n;
};

/* Rules of one page lie side by side: by path, then by interval. Those without one come last. */
static int by_page(const void *a, const void *b)
{
    const struct trigger_config *x = *(const struct trigger_config *const *)a,
                                *y = *(const struct trigger_config *const *)b;
    int r = trigger_polled(y) - trigger_polled(x);

    if (r == 0 && trigger_polled(x)) {
        r = strcmp(x->metrics.path, y->metrics.path);
        if (r == 0)
            r = (x->metrics.interval > y->metrics.interval) -
                (x->metrics.interval < y->metrics.interval);
    }
    return r != 0 ? r : (x > y) - (x < y); /* in the order of the file */
}

static bool of_page(const struct plan_page *p, const struct trigger_config *rule)
{
    return strcmp(p->path, rule->metrics.path) == 0 && p->interval == rule->metrics.interval;
}

static void group(struct plan_job *j)
{
    for (size_t i = 0; i < j->n && trigger_polled(j->rules[i]); i++) {
        const struct trigger_config *rule = j->rules[i];

        if (j->n_pages == 0 || !of_page(&j->pages[j->n_pages - 1], rule))
            j->pages[j->n_pages++] = (struct plan_page){
                .path = rule->metrics.path, .interval = rule->metrics.interval, .first = i};
        j->pages[j->n_pages - 1].n++;
    }
}

static int fill(struct plan_job *j, const struct config *c, const char *name)
{
    j->name = name;
    j->rules = calloc(c->n_triggers, sizeof(*j->rules));
    if (!j->rules)
        return -ENOMEM;
    for (size_t i = 0; i < c->n_triggers; i++) {
        if (trigger_for_job(&c->triggers[i], name))
            j->rules[j->n++] = &c->triggers[i];
    }
    if (j->n == 0)
        return 0;
    qsort(j->rules, j->n, sizeof(*j->rules), by_page);
    j->pages = calloc(j->n, sizeof(*j->pages));
    if (!j->pages)
        return -ENOMEM;
    group(j);
    for (size_t i = 0; i < j->n_pages; i++) {
        struct plan_page *p = &j->pages[i];
        int r = rulebook_new(&j->rules[p->first], p->n, &p->book);

        if (r < 0)
            return r;
    }
    return 0;
}

static void job_done(struct plan_job *j)
{
    for (size_t i = 0; j->pages && i < j->n_pages; i++)
        rulebook_free(j->pages[i].book);
    free(j->pages);
    free(j->rules);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct plan_job *)a)->name, ((const struct plan_job *)b)->name);
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++)
        job_done(&p->jobs[i]);
    free(p->jobs);
    free(p);
}

int plan_new(const struct config *config, struct plan **ret)
{
    struct plan *p = calloc(1, sizeof(*p));
    int r = 0;

    if (!p)
        return -ENOMEM;
    p->jobs = calloc(config->n_jobs + 1, sizeof(*p->jobs));
    if (!p->jobs)
        r = -ENOMEM;
    for (size_t i = 0; r == 0 && config->n_triggers > 0 && i < config->n_jobs; i++) {
        struct plan_job *j = &p->jobs[p->n];

        r = fill(j, config, config->jobs[i].name);
        if (r == 0 && j->n == 0) {
            job_done(j);
            *j = (struct plan_job){0};
        } else {
            p->n++;
        }
    }
    if (r < 0) {
        plan_free(p);
        return r;
    }
    qsort(p->jobs, p->n, sizeof(*p->jobs), by_name);
    *ret = p;
    return 0;
}

const struct plan_job *plan_job(const struct plan *p, const char *name)
{
    const struct plan_job wanted = {.name = name};

    return bsearch(&wanted, p->jobs, p->n, sizeof(*p->jobs), by_name);
}
