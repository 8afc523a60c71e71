/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/compare/difference.h"

static const char *const changes[] = {
    [DIFFERENCE_NONE] = "none",
    [DIFFERENCE_WORSE] = "worse",
    [DIFFERENCE_BETTER] = "better",
    [DIFFERENCE_OTHER] = "other",
};

static json_t *row_json(const struct difference_row *row)
{
    const struct spread *s = &row->spread;

    return json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:b, s:b, s:s}", "name",
                     row->name, "before", s->before.median, "before_min", s->before.min,
                     "before_max", s->before.max, "after", s->after.median, "after_min",
                     s->after.min, "after_max", s->after.max, "delta",
                     s->after.median - s->before.median, "ratio", s->ratio, "spread_known",
                     s->known, "moved", s->moved, "change", changes[row->change]);
}

static json_t *rows_json(const struct difference *d)
{
    json_t *rows = json_object();
    int failed = 0;

    /* null: what one side does not have, so that it is no unknown name. */
    for (size_t i = 0; rows && i < numbers_n_fixed; i++)
        failed += json_object_set_new(rows, numbers_fixed[i].path, json_null()) < 0;
    for (size_t i = 0; rows && i < d->n_rows; i++)
        failed += json_object_set_new(rows, d->rows[i].path, row_json(&d->rows[i])) < 0;
    if (failed) {
        json_decref(rows);
        rows = NULL;
    }
    return rows;
}

/* What only one side has; of labels all. */
static json_t *presences_json(const struct difference *d, bool labels)
{
    json_t *list = json_array();
    int failed = 0;

    for (size_t i = 0; list && i < d->presences.n; i++) {
        const struct presence *p = &d->presences.list[i];
        int moved = presence_moved(p, d->traces);

        if (labels ? p->kind != PRESENCE_LABEL : p->kind == PRESENCE_LABEL || moved == 0)
            continue;
        failed +=
            json_array_append_new(
                list, json_pack("{s:s, s:s, s:s, s:I, s:I}", "kind", presence_kind_name(p->kind),
                                "name", p->name, "moved",
                                moved > 0   ? "came"
                                : moved < 0 ? "went"
                                            : "stayed",
                                "before", (json_int_t)p->in[0], "after", (json_int_t)p->in[1])) < 0;
    }
    if (failed) {
        json_decref(list);
        list = NULL;
    }
    return list;
}

static json_int_t findings(const struct difference *d, int moved)
{
    json_int_t n = 0;

    for (size_t i = 0; i < d->presences.n; i++)
        n += d->presences.list[i].kind == PRESENCE_FINDING &&
             presence_moved(&d->presences.list[i], d->traces) == moved;
    return n;
}

json_t *difference_json(const struct difference *d)
{
    return json_pack("{s:i, s:s, s:b, s:I, s:I, s:{s:I, s:I}, s:o, s:o, s:o}", "schema", 1,
                     "verdict", difference_verdict_name(d->verdict), "spread_known",
                     difference_known(d), "new_findings", findings(d, 1), "gone_findings",
                     findings(d, -1), "traces", "before", (json_int_t)d->traces[0], "after",
                     (json_int_t)d->traces[1], "labels", presences_json(d, true), "diff",
                     rows_json(d), "only", presences_json(d, false));
}
