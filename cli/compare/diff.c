/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"
#include "cli/common/arguments.h"
#include "cli/common/command.h"
#include "cli/common/screen.h"
#include "cli/compare/conditions.h"
#include "cli/compare/difference.h"
#include "cli/read/summaries.h"
#include "cli/read/tracefile.h"

static const char intro[] =
    "Usage: contrace diff [OPTIONS] BEFORE... -- AFTER...\n"
    "       contrace diff before-*.trace -- after-*.trace\n"
    "       contrace diff a.trace b.trace --fail-if='diff[\"gc.cycles\"].ratio > 2'\n"
    "Says which numbers of Go execution traces differ by more than their spread explains, and what "
    "only one side has. From three traces on each side a spread is known. A file may also be what "
    "'contrace summary --json' printed. Ends with 0, 3 if a condition of --fail-if is true, 1 if a "
    "file cannot be read to its end, 2 if the command makes no sense.\n";

struct diff_arguments {
    struct conditions conditions;
    bool json, all, require;
};

#define FIELD(name) offsetof(struct diff_arguments, name)

static const struct argument rows[] = {
    {"fail-if", 0, "CONDITION",
     "as of 'contrace check', on what --json prints: before, after, delta, ratio, moved, change of "
     "each number; verdict",
     conditions_argument, FIELD(conditions)},
    {"require", 0, NULL, "what there is no value for fails, too", argument_flag, FIELD(require)},
    {"all", 'a', NULL, "also the numbers that do not differ", argument_flag, FIELD(all)},
    {"json", 0, NULL, "one JSON object (docs/DIFF.md)", argument_flag, FIELD(json)},
};

/* Both sides as they were read. */
struct material {
    struct summaries files[2];
    const json_t **lists[2];
    size_t n[2];
    bool faulty; /* something could not be read to its end, which was said */
};

/* What is long, and not compared. */
static void strip(json_t *summary)
{
    json_t *kind, *site, *sites = json_object_get(summary, "sites");
    const char *key;
    size_t i;

    (void)json_object_del(summary, "outliers");
    (void)json_object_del(summary, "events");
    json_object_foreach(sites, key, kind) {
        json_array_foreach(json_object_get(kind, "top"), i, site)
            (void)json_object_del(site, "stack");
    }
}

static int read_side(struct material *m, unsigned side, char *const *names, size_t n)
{
    struct summaries *s = &m->files[side];
    size_t done = 0;
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++) {
        r = summaries_add(s, names[i]);
        for (; r == 0 && done < s->n; done++) {
            m->faulty |= summaries_complain(&s->list[done]);
            strip(s->list[done].json);
        }
    }
    m->lists[side] = r == 0 ? calloc(s->n + 1, sizeof(*m->lists[side])) : NULL;
    if (!m->lists[side])
        return r < 0 ? r : -ENOMEM;
    for (size_t i = 0; i < s->n; i++) {
        if (s->list[i].json)
            m->lists[side][m->n[side]++] = s->list[i].json;
    }
    return 0;
}

static void material_done(struct material *m)
{
    for (unsigned side = 0; side < 2; side++) {
        summaries_done(&m->files[side]);
        free(m->lists[side]);
    }
}

/* The result of the conditions is the last member, or the last lines. */
static int show(struct diff_arguments *a, const struct difference *d, struct report *report)
{
    _cleanup_json_ json_t *json = difference_json(d);
    char *text;
    int r = json ? conditions_judge(&a->conditions, "diff", json, report) : -ENOMEM;

    if (r == 0)
        r = conditions_check(&a->conditions, "diff");
    if (r < 0)
        return r;
    if (!a->json) {
        difference_text(stdout, d, a->all, screen_utf8());
        if (report_count(report, REPORT_PASSED) < report->n)
            (void)putchar('\n');
        report_print_text(stdout, report);
        return 0;
    }
    text = json_object_set_new(json, "checks", report_json(report)) < 0
             ? NULL
             : jsontext_print(json, JSON_COMPACT);
    if (!text)
        return -ENOMEM;
    (void)puts(text);
    free(text);
    return 0;
}

static int compare(struct diff_arguments *a, const struct material *m, struct report *report)
{
    const struct difference_side sides[2] = {{m->lists[0], m->n[0]}, {m->lists[1], m->n[1]}};
    struct difference d;
    int r;

    if (m->n[0] == 0 || m->n[1] == 0) {
        complain("diff: nothing can be compared: no trace %s could be read",
                 m->n[0] == 0 ? "before" : "after");
        return -ENODATA;
    }
    r = difference_find(sides, &d);
    if (r == 0)
        r = show(a, &d, report);
    difference_done(&d);
    return r;
}

/* The words before and after `--`. */
struct sides {
    char **names[2];
    size_t n[2];
};

static int diff(struct diff_arguments *a, const struct sides *sides)
{
    struct report report = {.require = a->require};
    struct material m = {0};
    int status, r = 0;

    for (unsigned side = 0; r == 0 && side < 2; side++)
        r = read_side(&m, side, sides->names[side], sides->n[side]);
    if (r == -E2BIG)
        complain("diff: more than %d summaries on a side", SUMMARIES_MAX);
    if (r == 0)
        r = compare(a, &m, &report);
    if (r == -ENOMEM)
        (void)complain_memory();
    status = r == -EINVAL           ? STATUS_USAGE
           : r < 0                  ? STATUS_FAILED
           : report_failed(&report) ? STATUS_FOUND
           : m.faulty               ? STATUS_FAILED
                                    : STATUS_OK;
    report_done(&report);
    material_done(&m);
    return screen_finish() < 0 ? STATUS_FAILED : status;
}

/* Options may stand on both sides of `--`. */
static int parse(int argc, char **argv, struct diff_arguments *a, struct sides *ret)
{
    const struct argument_group groups[] = {GROUP(rows, a)};
    int middle = 1, rest, r;

    while (middle < argc && strcmp(argv[middle], "--") != 0)
        middle++;
    r = arguments_parse(middle, argv, groups, 1, intro, &rest);
    if (r != 0)
        return r;
    *ret = (struct sides){.names = {argv + rest}, .n = {(size_t)(middle - rest)}};
    if (middle == argc) { /* two files need no `--` */
        ret->names[1] = argv + rest + 1;
        ret->n[1] = ret->n[0] == 2;
        ret->n[0] = ret->n[0] == 2;
    } else {
        argv[middle] = argv[0];
        r = arguments_parse(argc - middle, argv + middle, groups, 1, intro, &rest);
        if (r != 0)
            return r;
        ret->names[1] = argv + middle + rest;
        ret->n[1] = (size_t)(argc - middle - rest);
    }
    if (ret->n[0] == 0 || ret->n[1] == 0) {
        complain("diff: which traces? BEFORE... -- AFTER..., or two files");
        return -EINVAL;
    }
    return conditions_parse(&a->conditions, "diff");
}

int command_diff(int argc, char **argv)
{
    struct diff_arguments *a = calloc(1, sizeof(*a));
    struct sides sides;
    int status, r;

    if (!a) {
        (void)complain_memory();
        return STATUS_FAILED;
    }
    r = parse(argc, argv, a, &sides);
    status = r > 0 ? STATUS_OK : r == -ENOMEM ? STATUS_FAILED : STATUS_USAGE;
    if (r == 0) {
        tracefile_may_go_away();
        status = diff(a, &sides);
    }
    conditions_done(&a->conditions);
    free(a);
    return status;
}
