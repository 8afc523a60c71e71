/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/find/catalog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void entry_done(struct entry *e)
{
    free(e->key);
    if (e->facts)
        facts_done(e->facts);
    free(e->facts);
}

int catalog_add(struct catalog *c, const char *key, uint64_t size, unsigned where)
{
    struct entry e = {.size = size, .where = where};
    size_t capacity = c->capacity ? 2 * c->capacity : 64;

    if (name_parse(key, &e.name) < 0)
        return -EINVAL;
    if (c->n == c->capacity) {
        struct entry *items = reallocarray(c->items, capacity, sizeof(*items));

        if (!items)
            return -ENOMEM;
        c->items = items;
        c->capacity = capacity;
    }
    e.key = strdup(key);
    if (!e.key)
        return -ENOMEM;
    c->items[c->n++] = e;
    return 0;
}

/* The local ones first. */
static int compare_keys(const void *pa, const void *pb)
{
    const struct entry *a = pa, *b = pb;
    int r = strcmp(a->key, b->key);

    return r ? r : (int)(a->where & WHERE_REMOTE) - (int)(b->where & WHERE_REMOTE);
}

void catalog_merge(struct catalog *c)
{
    size_t n = 0;

    if (c->n > 1)
        qsort(c->items, c->n, sizeof(*c->items), compare_keys);
    for (size_t i = 0; i < c->n; i++) {
        struct entry *e = &c->items[i], *last = n > 0 ? &c->items[n - 1] : NULL;

        if (!last || strcmp(last->key, e->key) != 0) {
            c->items[n++] = *e;
            continue;
        }
        last->where |= e->where;
        if (!last->facts) {
            last->facts = e->facts;
            last->asked = e->asked;
            e->facts = NULL;
        }
        entry_done(e);
    }
    c->n = n;
}

void catalog_filter(struct catalog *c, bool (*keep)(const struct entry *e, const void *userdata),
                    const void *userdata)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n; i++) {
        if (keep(&c->items[i], userdata))
            c->items[n++] = c->items[i];
        else
            entry_done(&c->items[i]);
    }
    c->n = n;
}

struct sorting {
    catalog_order_fn order;
    bool reverse;
};

static int compare_entries(const void *a, const void *b, void *userdata)
{
    const struct sorting *s = userdata;
    int r = s->order(a, b);

    if (r == 0)
        r = name_compare(&((const struct entry *)b)->name, &((const struct entry *)a)->name);
    return s->reverse ? -r : r;
}

void catalog_sort(struct catalog *c, catalog_order_fn order, bool reverse)
{
    struct sorting s = {order, reverse};

    if (c->n > 1)
        qsort_r(c->items, c->n, sizeof(*c->items), compare_entries, &s);
}

void catalog_cut(struct catalog *c, size_t n)
{
    while (c->n > n)
        entry_done(&c->items[--c->n]);
}

void catalog_done(struct catalog *c)
{
    catalog_cut(c, 0);
    free(c->items);
    *c = (struct catalog){0};
}

const char *where_text(unsigned where, char out[static WHERE_TEXT_SIZE])
{
    /* While the daemon moves a trace it may be seen in both directories. */
    const char *local = where & WHERE_ARCHIVE ? "archive" : where & WHERE_PENDING ? "pending" : "";

    strcpy(out, local);
    if (where & WHERE_REMOTE)
        strcat(out, *local ? ",remote" : "remote");
    return out;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

int order_by_time(const struct entry *a, const struct entry *b)
{
    return compare_numbers(b->name.time, a->name.time);
}

static int order_by_size(const struct entry *a, const struct entry *b)
{
    return compare_numbers(b->size, a->size);
}

static int order_by_service(const struct entry *a, const struct entry *b)
{
    return strcmp(a->name.service, b->name.service);
}

static int order_by_host(const struct entry *a, const struct entry *b)
{
    return strcmp(a->name.host, b->name.host);
}

static int order_by_pid(const struct entry *a, const struct entry *b)
{
    return compare_numbers(a->name.pid, b->name.pid);
}

static int order_by_where(const struct entry *a, const struct entry *b)
{
    return compare_numbers(a->where, b->where);
}

static const char *reason_of(const struct entry *e)
{
    return e->facts && e->facts->reason ? e->facts->reason : "";
}

static int order_by_reason(const struct entry *a, const struct entry *b)
{
    return strcmp(reason_of(a), reason_of(b));
}

/* Incomplete traces come first, those of unknown completeness last. */
static unsigned state_of(const struct entry *e)
{
    return !e->facts || !e->facts->has_complete ? 2 : e->facts->complete;
}

static int order_by_state(const struct entry *a, const struct entry *b)
{
    return compare_numbers(state_of(a), state_of(b));
}

/* By name; entries without one come last. */
static int order_by_label(const struct entry *a, const struct entry *b)
{
    const char *of_a = a->facts ? a->facts->label : NULL, *of_b = b->facts ? b->facts->label : NULL;

    return of_a && of_b ? strcmp(of_a, of_b) : (of_b != NULL) - (of_a != NULL);
}

static const char *incident_of(const struct entry *e)
{
    return e->facts && e->facts->incident ? e->facts->incident : "";
}

/* What belongs together stands together; what belongs to none comes last. */
static int order_by_incident(const struct entry *a, const struct entry *b)
{
    const char *of_a = incident_of(a), *of_b = incident_of(b);

    return *of_a && *of_b ? strcmp(of_b, of_a) : (*of_b != '\0') - (*of_a != '\0');
}

static int order_by_age(const struct entry *a, const struct entry *b)
{
    return compare_numbers(a->name.time, b->name.time);
}

static int order_by_artifact(const struct entry *a, const struct entry *b)
{
    return strcmp(kind_name(a->name.kind), kind_name(b->name.kind));
}

static int order_by_seconds(const struct entry *a, const struct entry *b)
{
    double of_a = a->facts ? a->facts->seconds : 0, of_b = b->facts ? b->facts->seconds : 0;

    return (of_b > of_a) - (of_b < of_a);
}

/* 1.9 comes before 1.26; entries without a version come first. */
static int order_by_go(const struct entry *a, const struct entry *b)
{
    const char *of_a = a->facts ? a->facts->go_version : NULL,
               *of_b = b->facts ? b->facts->go_version : NULL;

    return strverscmp(of_a ? of_a : "", of_b ? of_b : "");
}

static int order_by_key(const struct entry *a, const struct entry *b)
{
    return strcmp(a->key, b->key);
}

static const struct {
    const char *name;
    catalog_order_fn order;
    bool needs_facts;
} orders[] = {
    {"age", order_by_age, false},
    {"time", order_by_time, false},
    {"service", order_by_service, false},
    {"host", order_by_host, false},
    {"pid", order_by_pid, false},
    {"artifact", order_by_artifact, false},
    {"reason", order_by_reason, true},
    {"seconds", order_by_seconds, true},
    {"go", order_by_go, true},
    {"size", order_by_size, false},
    {"where", order_by_where, false},
    {"state", order_by_state, true},
    {"label", order_by_label, true},
    {"incident", order_by_incident, true},
    {"key", order_by_key, false},
};

#define N_ORDERS (sizeof(orders) / sizeof(orders[0]))

const char *order_names(void)
{
    static char names[240];
    size_t n = 0;

    for (size_t i = 0; i < N_ORDERS && n < sizeof(names); i++)
        n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s",
                              i == 0             ? ""
                              : i + 1 < N_ORDERS ? ", "
                                                 : " or ",
                              orders[i].name);
    return names;
}

catalog_order_fn order_find(const char *name)
{
    for (size_t i = 0; i < N_ORDERS; i++) {
        if (strcasecmp(orders[i].name, name) == 0)
            return orders[i].order;
    }
    return NULL;
}

bool order_needs_facts(catalog_order_fn order)
{
    for (size_t i = 0; i < N_ORDERS; i++) {
        if (orders[i].order == order)
            return orders[i].needs_facts;
    }
    return false;
}
