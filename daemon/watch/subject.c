/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/watch/subject.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "lib/config/trigger.h"

static void page_done(struct subject_page *p)
{
    poll_cancel(p->poll);
    sd_event_source_disable_unref(p->timer);
    free(p->shown);
    free(p->text);
}

void subject_free(struct subject *s)
{
    if (!s)
        return;
    for (size_t i = 0; s->pages && i < s->job->n_pages; i++)
        page_done(&s->pages[i]);
    for (size_t i = 0; s->rules && i < s->job->n; i++)
        rulestate_free(s->rules[i].state);
    free(s->pages);
    free(s->rules);
    target_unref(s->target);
    free(s);
}

struct subject *subject_new(struct target *target, const struct plan_job *job)
{
    struct subject *s = calloc(1, sizeof(*s));
    bool failed;

    if (!s)
        return NULL;
    s->target = target_ref(target);
    s->job = job;
    s->rules = calloc(job->n, sizeof(*s->rules));
    s->pages = calloc(job->n_pages + 1, sizeof(*s->pages));
    failed = !s->rules || !s->pages;
    for (size_t i = 0; !failed && i < job->n; i++)
        s->rules[i].rule = job->rules[i];
    for (size_t i = 0; !failed && i < job->n_pages; i++) {
        s->pages[i] = (struct subject_page){.subject = s, .page = &job->pages[i]};
        s->pages[i].shown = target_shown_at(target, job->pages[i].path);
        failed = !s->pages[i].shown;
    }
    if (failed) {
        subject_free(s);
        return NULL;
    }
    return s;
}

/* The rule of `old` that says the same as this one; NULL: there is none. */
static struct subject_rule *equal_rule(const struct subject *old, const struct trigger_config *rule)
{
    for (size_t i = 0; old && i < old->job->n; i++) {
        struct subject_rule *r = &old->rules[i];

        if (strcmp(r->rule->name, rule->name) == 0 && trigger_equal(r->rule, rule))
            return r;
    }
    return NULL;
}

int subject_prepare(struct subject *s, const struct subject *old, usec now)
{
    for (size_t i = 0; i < s->job->n; i++) {
        struct subject_rule *r = &s->rules[i];

        if (!equal_rule(old, r->rule) && rulestate_new(r->rule, now, &r->state) < 0)
            return -ENOMEM;
    }
    return 0;
}

static struct subject_page *same_page(const struct subject *old, const struct plan_page *page)
{
    for (size_t i = 0; i < old->job->n_pages; i++) {
        struct subject_page *p = &old->pages[i];

        if (strcmp(p->page->path, page->path) == 0 && p->page->interval == page->interval)
            return p;
    }
    return NULL;
}

static void take_page(struct subject_page *p, struct subject_page *old)
{
    p->started = old->started;
    p->took = old->took;
    p->slow = old->slow;
    p->failures = old->failures;
    p->told = old->told;
    p->end = old->end;
    p->said = old->said;
    p->run = old->run;
    p->lost = old->lost;
    p->text = steal(&old->text);
    p->polled = old->polled;
    p->bytes = old->bytes;
    p->series = old->series;
}

void subject_take(struct subject *s, struct subject *old)
{
    for (size_t i = 0; i < s->job->n; i++) {
        struct subject_rule *r = &s->rules[i], *from = equal_rule(old, r->rule);

        if (!from)
            continue;
        r->state = steal(&from->state);
        rulestate_move(r->state, r->rule);
    }
    for (size_t i = 0; i < s->job->n_pages; i++) {
        struct subject_page *from = same_page(old, s->pages[i].page);

        if (from)
            take_page(&s->pages[i], from);
    }
}
