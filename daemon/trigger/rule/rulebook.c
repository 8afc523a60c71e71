/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trigger/rule/rulebook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_OF_RULE 3 /* the most that one rule wants */

/* That a rule wants a name. Those of one name are a list. */
struct want {
    size_t rule;
    enum reading_role role;
    int next; /* another want of the same name; -1: none */
};

struct rulebook {
    const struct trigger_config **rules;
    size_t n;
    struct names *names;
    struct want *wants; /* the first of a name has the name's number */
    size_t n_wants;
};

struct rulebook_page {
    const struct rulebook *book;
    struct reading readings[];
};

/* The names while they are gathered: one text for each want. */
struct gathering {
    struct rulebook *book;
    char **texts;
};

static int want(struct gathering *g, size_t rule, enum reading_role role, const char *name,
                const char *end)
{
    struct rulebook *b = g->book;
    char *text = malloc(strlen(name) + strlen(end) + 1);

    if (!text)
        return -ENOMEM;
    (void)stpcpy(stpcpy(text, name), end);
    g->texts[b->n_wants] = text;
    b->wants[b->n_wants++] = (struct want){rule, role, -1};
    return 0;
}

static int want_rule(struct gathering *g, size_t i)
{
    const struct trigger_config *rule = g->book->rules[i];
    int r;

    if (rule->measure != TRIGGER_HISTOGRAM) {
        r = want(g, i, READING_FIRST, rule->of[0], "");
        return r == 0 && rule->of[1] ? want(g, i, READING_SECOND, rule->of[1], "") : r;
    }
    r = want(g, i, READING_BUCKET, rule->of[0], "_bucket");
    if (r == 0)
        r = want(g, i, READING_COUNT, rule->of[0], "_count");
    return r == 0 ? want(g, i, READING_BASE, rule->of[0], "") : r;
}

/* The names' numbers are those of the first want of each; the others follow it in a list. */
static void link_wants(struct gathering *g)
{
    struct rulebook *b = g->book;

    for (size_t i = 0; i < b->n_wants; i++) {
        int first = names_find(b->names, g->texts[i], strlen(g->texts[i]));

        if ((size_t)first == i)
            continue;
        b->wants[i].next = b->wants[first].next;
        b->wants[first].next = (int)i;
    }
}

static int gather(struct gathering *g)
{
    struct rulebook *b = g->book;
    int r = 0;

    for (size_t i = 0; i < b->n && r == 0; i++)
        r = want_rule(g, i);
    if (r == 0)
        r = names_new((const char *const *)g->texts, b->n_wants, &b->names);
    if (r == 0)
        link_wants(g);
    for (size_t i = 0; i < b->n_wants; i++)
        free(g->texts[i]);
    return r;
}

int rulebook_new(const struct trigger_config *const *rules, size_t n, struct rulebook **ret)
{
    struct rulebook *b = calloc(1, sizeof(*b));
    size_t room = n ? n : 1;
    struct gathering g = {.book = b};
    int r = -ENOMEM;

    if (!b)
        return -ENOMEM;
    b->n = n;
    b->rules = calloc(room, sizeof(*b->rules));
    b->wants = calloc(NAMES_OF_RULE * room, sizeof(*b->wants));
    g.texts = calloc(NAMES_OF_RULE * room, sizeof(*g.texts));
    if (b->rules && b->wants && g.texts) {
        for (size_t i = 0; i < n; i++)
            b->rules[i] = rules[i];
        r = gather(&g);
    }
    free(g.texts);
    if (r < 0) {
        rulebook_free(b);
        return r;
    }
    *ret = b;
    return 0;
}

void rulebook_free(struct rulebook *b)
{
    if (!b)
        return;
    names_free(b->names);
    free(b->rules);
    free(b->wants);
    free(b);
}

const struct names *rulebook_names(const struct rulebook *b)
{
    return b->names;
}

int rulebook_page_new(const struct rulebook *b, struct rulebook_page **ret)
{
    struct rulebook_page *p = calloc(1, sizeof(*p) + b->n * sizeof(p->readings[0]));

    if (!p)
        return -ENOMEM;
    p->book = b;
    for (size_t i = 0; i < b->n; i++) {
        if (reading_init(&p->readings[i], b->rules[i]) < 0) {
            rulebook_page_free(p);
            return -ENOMEM;
        }
    }
    *ret = p;
    return 0;
}

void rulebook_page_free(struct rulebook_page *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->book->n; i++)
        reading_done(&p->readings[i]);
    free(p);
}

void rulebook_sample(void *userdata, const struct scrape_sample *sample)
{
    struct rulebook_page *p = userdata;

    for (int i = sample->name; i >= 0; i = p->book->wants[i].next) {
        const struct want *w = &p->book->wants[i];

        reading_add(&p->readings[w->rule], w->role, sample);
    }
}

const struct reading *rulebook_reading(const struct rulebook_page *p, size_t rule)
{
    return &p->readings[rule];
}
