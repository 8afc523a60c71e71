/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/compare/difference.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/value/path.h"

#define TYPES_MAX 200 /* types of tasks and regions that are compared */
#define NAME_MAX_BYTES (PATH_SIZE + 64)

/* Both samples of a number that is being compared. */
struct samples {
    double *values[2];
    size_t n[2];
};

static bool scaled(const struct number *n, const struct path *path, const json_t *summary,
                   double *ret)
{
    double window = json_number_value(json_object_get(summary, "window_ns"));

    if (!path_number(path, summary, ret))
        return false;
    if (n->scale == NUMBER_A_SECOND)
        *ret = window > 0 ? *ret * 1e9 / window : 0;
    else if (n->scale == NUMBER_AT_ONCE)
        *ret = window > 0 ? *ret / window : 0;
    *ret = *ret > 0 ? *ret : 0;
    return true;
}

static void sample(const struct number *n, const struct path *path,
                   const struct difference_side *sides, struct samples *s)
{
    for (unsigned side = 0; side < 2; side++) {
        s->n[side] = 0;
        for (size_t i = 0; i < sides[side].n; i++) {
            double value;

            if (scaled(n, path, sides[side].summaries[i], &value))
                s->values[side][s->n[side]++] = value;
        }
    }
}

static enum difference_change change_of(const struct number *n, const struct spread *s)
{
    bool more = s->after.median > s->before.median;

    if (!s->moved)
        return DIFFERENCE_NONE;
    if (n->sense == NUMBER_NEUTRAL)
        return DIFFERENCE_OTHER;
    return more == (n->sense == NUMBER_MORE_IS_WORSE) ? DIFFERENCE_WORSE : DIFFERENCE_BETTER;
}

/* A number that one side does not have is not compared. */
static int add_row(struct difference *d, const struct number *n, const char *name, const char *path,
                   const struct difference_side *sides, struct samples *s)
{
    struct difference_row *row = &d->rows[d->n_rows];
    struct path parsed;

    if (path_parse(path, &parsed) < 0)
        return 0; /* a type's name that is too long */
    sample(n, &parsed, sides, s);
    if (s->n[0] == 0 || s->n[1] == 0)
        return 0;
    *row = (struct difference_row){.number = n, .name = strdup(name), .path = strdup(path)};
    row->at = d->n_rows;
    d->n_rows++;
    if (!row->name || !row->path)
        return -ENOMEM;
    row->spread = spread_judge(s->values[0], s->n[0], s->values[1], s->n[1], n->least);
    row->change = change_of(n, &row->spread);
    return 0;
}

/* `tasks["name"].p99_ns`; a name that is too long is cut, and is then no path. */
static void path_of_type(const struct presence *p, const char *member, char path[NAME_MAX_BYTES])
{
    size_t n = (size_t)snprintf(path, NAME_MAX_BYTES, "%s[\"",
                                p->kind == PRESENCE_TASK ? "tasks" : "regions");

    for (const char *c = p->name; *c && n < PATH_SIZE; c++) {
        if (*c == '"' || *c == '\\')
            path[n++] = '\\';
        path[n++] = *c;
    }
    (void)snprintf(path + n, NAME_MAX_BYTES - n, "\"].%s", member);
}

static int add_types(struct difference *d, const struct difference_side *sides, struct samples *s)
{
    size_t types = 0;
    int r = 0;

    for (size_t i = 0; r == 0 && i < d->presences.n && types < TYPES_MAX; i++) {
        const struct presence *p = &d->presences.list[i];
        bool typed = p->kind == PRESENCE_TASK || p->kind == PRESENCE_REGION;

        types += typed;
        for (size_t k = 0; r == 0 && typed && k < numbers_n_of_type; k++) {
            char name[NAME_MAX_BYTES], path[NAME_MAX_BYTES];

            (void)snprintf(name, sizeof(name), "%s %s", p->name, numbers_of_type[k].name);
            path_of_type(p, numbers_of_type[k].path, path);
            r = add_row(d, &numbers_of_type[k], name, path, sides, s);
        }
    }
    return r;
}

static int add_numbers(struct difference *d, const struct difference_side *sides)
{
    size_t most = numbers_n_fixed + TYPES_MAX * numbers_n_of_type;
    struct samples s;
    int r = 0;

    d->rows = calloc(most, sizeof(*d->rows));
    s.values[0] = calloc(sides[0].n, sizeof(double));
    s.values[1] = calloc(sides[1].n, sizeof(double));
    if (!d->rows || !s.values[0] || !s.values[1])
        r = -ENOMEM;
    for (size_t i = 0; r == 0 && i < numbers_n_fixed; i++)
        r = add_row(d, &numbers_fixed[i], numbers_fixed[i].name, numbers_fixed[i].path, sides, &s);
    if (r == 0)
        r = add_types(d, sides, &s);
    free(s.values[0]);
    free(s.values[1]);
    return r;
}

static int by_weight(const void *a, const void *b)
{
    static const int places[] = {[DIFFERENCE_WORSE] = 0,
                                 [DIFFERENCE_BETTER] = 1,
                                 [DIFFERENCE_OTHER] = 2,
                                 [DIFFERENCE_NONE] = 3};
    const struct difference_row *x = a, *y = b;
    double left = fabs(log(x->spread.ratio)), right = fabs(log(y->spread.ratio));

    if (places[x->change] != places[y->change])
        return places[x->change] - places[y->change];
    if (x->change != DIFFERENCE_NONE && (left < right || left > right))
        return left > right ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

static enum difference_verdict judge(const struct difference *d)
{
    bool has[4] = {false};

    for (size_t i = 0; i < d->n_rows; i++)
        has[d->rows[i].change] = true;
    for (size_t i = 0; i < d->presences.n; i++) {
        int moved = presence_moved(&d->presences.list[i], d->traces);

        if (moved != 0 && d->presences.list[i].kind == PRESENCE_FINDING)
            has[moved > 0 ? DIFFERENCE_WORSE : DIFFERENCE_BETTER] = true;
        else if (moved != 0)
            has[DIFFERENCE_OTHER] = true;
    }
    if (has[DIFFERENCE_WORSE])
        return has[DIFFERENCE_BETTER] ? VERDICT_MIXED : VERDICT_WORSE;
    if (has[DIFFERENCE_BETTER])
        return VERDICT_BETTER;
    return has[DIFFERENCE_OTHER] ? VERDICT_OTHER : VERDICT_SAME;
}

int difference_find(const struct difference_side sides[static 2], struct difference *ret)
{
    int r = 0;

    *ret = (struct difference){.traces = {sides[0].n, sides[1].n}};
    for (unsigned side = 0; side < 2; side++) {
        for (size_t i = 0; r == 0 && i < sides[side].n; i++)
            r = presences_add(&ret->presences, sides[side].summaries[i], side);
    }
    if (r == 0)
        r = add_numbers(ret, sides);
    if (r < 0)
        return r;
    qsort(ret->rows, ret->n_rows, sizeof(*ret->rows), by_weight);
    ret->verdict = judge(ret);
    return 0;
}

void difference_done(struct difference *d)
{
    for (size_t i = 0; i < d->n_rows; i++) {
        free(d->rows[i].name);
        free(d->rows[i].path);
    }
    free(d->rows);
    presences_done(&d->presences);
}

bool difference_known(const struct difference *d)
{
    return d->traces[0] >= SPREAD_SAMPLES && d->traces[1] >= SPREAD_SAMPLES;
}

const char *difference_verdict_name(enum difference_verdict verdict)
{
    static const char *const names[] = {
        [VERDICT_SAME] = "same",   [VERDICT_WORSE] = "worse", [VERDICT_BETTER] = "better",
        [VERDICT_MIXED] = "mixed", [VERDICT_OTHER] = "other",
    };

    return names[verdict];
}
