/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ask/triggers.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/ask/call.h"
#include "cli/ask/escape.h"
#include "cli/ask/fields.h"
#include "cli/common/command.h"
#include "cli/common/screen.h"

static const char intro[] =
    "Usage: contrace triggers [OPTIONS]\n"
    "Shows each rule of trigger_configs at each target: what it saw last and what that is held\n"
    "against, whether it fires, when it did so last, and when the target was polled.\n";

#define LIMIT_DEFAULT 1000 /* rows that are shown */
#define PAGE 200           /* rows asked for at once */

struct triggers_arguments {
    const char *rule, *service, *job, *target, *state;
    unsigned limit;
    bool json;
};

#define FIELD(name) offsetof(struct triggers_arguments, name)

/* As contraced has them: docs/API.md. */
static const char *read_state(void *field, const char *value)
{
    static const char *const states[] = {
        "ok", "pending", "fired", "refused", "cooling", "waiting", "blind", "poll_failing",
    };

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(value, states[i]) == 0)
            return argument_text(field, value);
    }
    return "ok, pending, fired, refused, cooling, waiting, blind or poll_failing";
}

static const struct argument rows[] = {
    {"rule", 'r', "NAME", "only this rule", argument_text, FIELD(rule)},
    {"service", 's', "NAME", "only targets of this service", argument_text, FIELD(service)},
    {"job", 0, "NAME", "only targets of this job", argument_text, FIELD(job)},
    {"target", 't', "TARGET", "only this target: its URL or address", argument_text, FIELD(target)},
    {"state", 0, "STATE", "only what is in this state: fired, refused, pending, blind, …",
     read_state, FIELD(state)},
    {"limit", 'n', "N", "only the first N rows (1000)", argument_count, FIELD(limit)},
    {"json", 0, NULL, "one JSON object", argument_flag, FIELD(json)},
};

/* What came, page by page. */
struct answer {
    json_t *list;
    uint64_t total;
    usec now;
    char *cursor; /* of the next page; NULL: there is none */
};

static int take_page(struct answer *all, const json_t *page)
{
    const json_t *list = json_object_get(page, "triggers");
    const char *next =
        json_array_size(list) > 0 ? json_string_value(json_object_get(page, "after")) : NULL;

    if (json_array_size(list) > 0 && json_array_extend(all->list, (json_t *)list) < 0)
        return complain_memory();
    all->total = field_count(page, "total");
    all->now = field_time(page, "now");
    free(steal(&all->cursor));
    all->cursor = next ? strdup(next) : NULL;
    return next && !all->cursor ? complain_memory() : 0;
}

static int ask_page(struct endpoint *e, const struct triggers_arguments *a, unsigned limit,
                    struct answer *all)
{
    const struct escape_pair query[] = {
        {"rule", a->rule},     {"service", a->service}, {"job", a->job},
        {"target", a->target}, {"state", a->state},     {"after", all->cursor},
    };
    json_t *page = NULL;
    struct buf path;
    int r;

    buf_init(&path, ESCAPE_MAX);
    r = buf_addf(&path, "/api/v1/triggers?limit=%u", limit);
    if (r == 0)
        r = escape_query(&path, query, sizeof(query) / sizeof(query[0]));
    if (r == 0)
        r = call_ask(e, "GET", buf_str(&path), NULL, &page);
    if (buf_error(&path) < 0)
        complain("not enough memory");
    buf_done(&path);
    if (r == 0)
        r = take_page(all, page);
    json_decref(page);
    return r;
}

static int print_json(const struct answer *all)
{
    json_t *object = json_pack("{sO sI}", "triggers", all->list, "total", (json_int_t)all->total);
    int r = object ? field_print(object) : complain_memory();

    json_decref(object);
    return r;
}

static int print(const struct answer *all, const struct triggers_arguments *a)
{
    const struct triggers_options options = {.width = screen_width(stdout),
                                             .colour = screen_colour(stdout),
                                             .utf8 = screen_utf8(),
                                             .chosen = a->rule || a->service || a->job ||
                                                       a->target || a->state};

    if (a->json)
        return print_json(all);
    if (triggers_print(stdout, all->list, all->total, all->now, &options) < 0)
        return complain_memory();
    return 0;
}

static int show(struct endpoint *e, const struct triggers_arguments *a)
{
    struct answer all = {.list = json_array()};
    int r = all.list ? 0 : complain_memory();

    do {
        size_t left = a->limit - json_array_size(all.list);

        if (r == 0)
            r = ask_page(e, a, left < PAGE ? (unsigned)left : PAGE, &all);
    } while (r == 0 && all.cursor && json_array_size(all.list) < a->limit);
    if (r == 0)
        r = print(&all, a);
    free(all.cursor);
    json_decref(all.list);
    return r < 0 ? r : screen_finish();
}

int command_triggers(int argc, char **argv)
{
    struct endpoint_arguments where = {0};
    struct triggers_arguments a = {.limit = LIMIT_DEFAULT};
    const struct argument_group groups[] = {GROUP(rows, &a), GROUP(endpoint_rows, &where)};
    struct endpoint e;
    int rest, r = arguments_parse(argc, argv, groups, 2, intro, &rest);

    if (r != 0)
        return r < 0 ? STATUS_USAGE : STATUS_OK;
    if (rest < argc) {
        complain("triggers: '%s' is not an option; --rule=NAME shows one rule", argv[rest]);
        return STATUS_USAGE;
    }
    r = endpoint_open(&e, &where);
    if (r == 0) {
        r = show(&e, &a);
        endpoint_close(&e);
    }
    return command_exit(r);
}
