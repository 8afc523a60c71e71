/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "base/clock.h"
#include "cli/common/command.h"
#include "cli/common/screen.h"
#include "cli/find/columns.h"
#include "cli/find/query.h"

static const char intro[] =
    "Usage: contrace list [OPTIONS]\n"
    "Shows the traces that are kept in the local spool and in the store, the newest first.\n";

struct list_arguments {
    const char *order;
    bool reverse, full, json;
    unsigned limit;
};

#define FIELD(name) offsetof(struct list_arguments, name)

static const char *read_order(void *field, const char *value)
{
    if (!order_find(value))
        return order_names();
    *(const char **)field = value;
    return NULL;
}

static const struct argument rows[] = {
    {"sort", 0, "COLUMN", "by a column of the table, such as size; also with --json", read_order,
     FIELD(order)},
    {"reverse", 0, NULL, "the other way round", argument_flag, FIELD(reverse)},
    {"limit", 'n', "N", "only the first N", argument_count, FIELD(limit)},
    {"long", 'l', NULL, "more columns; reads the records in the store, too", argument_flag,
     FIELD(full)},
    {"json", 0, NULL, "one JSON object a line", argument_flag, FIELD(json)},
};

static int print(const struct catalog *c, const struct list_arguments *a)
{
    struct columns_options options = {.width = a->full ? 0 : screen_width(stdout),
                                      .colour = screen_colour(stdout),
                                      .full = a->full,
                                      .now = clock_real()};
    int r = 0;

    if (a->json)
        r = columns_print_json(stdout, c);
    else if (c->n > 0)
        columns_print(stdout, c, &options);
    if (r < 0)
        complain("not enough memory");
    return r < 0 ? r : screen_finish();
}

static int list(const struct sources_arguments *where, const struct query *q,
                const struct selection *selection, const struct list_arguments *a)
{
    struct catalog c = {0};
    struct sources s;
    int r = sources_open(&s, where), printed;

    if (r < 0)
        return r;
    r = query_run(&s, q, selection, &c);
    printed = r < 0 ? 0 : print(&c, a);
    if (r == 0 && c.n == 0 && !a->json) {
        (void)fputs("no traces\n", stderr);
        query_explain(&s, q);
    }
    catalog_done(&c);
    sources_close(&s);
    return printed < 0 ? printed : r;
}

int command_list(int argc, char **argv)
{
    struct sources_arguments where = {0};
    struct query q = {0};
    struct list_arguments a = {0};
    const struct argument_group groups[] = {GROUP(query_rows, &q), GROUP(rows, &a),
                                            GROUP(sources_rows, &where)};
    struct selection selection;
    struct name incident;
    int rest, r = arguments_parse(argc, argv, groups, 3, intro, &rest);

    if (r != 0)
        return r < 0 ? STATUS_USAGE : STATUS_OK;
    if (rest < argc) {
        complain("list: '%s' is not an option; --service=%s lists one service", argv[rest],
                 argv[rest]);
        return STATUS_USAGE;
    }
    if (query_selection(&q, clock_real(), &incident, &selection) < 0)
        return STATUS_USAGE;
    q.order = a.order ? order_find(a.order) : NULL;
    q.reverse = a.reverse;
    q.limit = a.limit;
    q.with_facts = true;
    q.remote_facts = a.full;
    return command_exit(list(&where, &q, &selection, &a));
}
