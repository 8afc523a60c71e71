/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/common/arguments.h"
#include "cli/common/command.h"
#include "cli/common/screen.h"
#include "cli/compare/conditions.h"
#include "cli/compare/report.h"
#include "cli/read/summaries.h"
#include "cli/read/tracefile.h"

static const char intro[] =
    "Usage: contrace check --fail-if=CONDITION... FILE...\n"
    "       contrace check --fail-if='scheduler.latency.p99_ns > 50ms' app.trace\n"
    "       contrace check --fail-if='label in [deadlock, gc-pressure]' *.trace\n"
    "Says whether a condition is true of a Go execution trace: on any value of its summary as "
    "'contrace summary --json' prints it. FILE - is standard input; a FILE may also be what that "
    "command printed. Ends with 0 if no condition is true, 3 if one is, 1 if a file cannot be read "
    "to its end, 2 if a condition makes no sense.\n";

struct check_arguments {
    struct conditions conditions;
    const struct report_format *format;
    bool require;
};

#define FIELD(name) offsetof(struct check_arguments, name)

static const struct argument rows[] = {
    {"fail-if", 0, "CONDITION",
     "a path, < <= > >= == != and a value such as 50ms, 1%, 4MiB or healthy; or 'in' and a list; "
     "joined by and, or, not, ( ). May be given many times",
     conditions_argument, FIELD(conditions)},
    {"require", 0, NULL, "what a trace has no value for fails, too", argument_flag, FIELD(require)},
    {"format", 0, "FORMAT", "text, github (annotations), junit (XML) or json",
     report_format_argument, FIELD(format)},
};

/* What could not be read is in the report, too. */
static int judge_item(struct conditions *c, const struct summaries_item *item, struct report *r)
{
    int error = 0;

    if (summaries_complain(item))
        error = report_add(r, item->name, NULL, REPORT_UNREADABLE,
                           item->failure.code ? item->failure.text : "the trace breaks off", NULL);
    return error == 0 && item->json ? conditions_judge(c, item->name, item->json, r) : error;
}

static int judge_files(struct conditions *c, char *const *names, struct report *r)
{
    struct summaries summaries = {0};
    int error = 0;

    for (; error == 0 && *names; names++) {
        error = summaries_add(&summaries, *names);
        for (size_t i = 0; error == 0 && i < summaries.n; i++)
            error = judge_item(c, &summaries.list[i], r);
        summaries_clear(&summaries);
    }
    summaries_done(&summaries);
    if (error == -E2BIG)
        complain("check: %s has more than %d summaries", *names, SUMMARIES_MAX);
    return error;
}

static int status_of(const struct report *r)
{
    if (report_failed(r))
        return STATUS_FOUND;
    return report_count(r, REPORT_UNREADABLE) > 0 ? STATUS_FAILED : STATUS_OK;
}

static int check(struct check_arguments *a, char *const *names)
{
    struct report report = {.require = a->require};
    int status = STATUS_FAILED, r = judge_files(&a->conditions, names, &report);

    if (r == 0) {
        r = conditions_check(&a->conditions, "check");
        if (r == 0)
            r = a->format->print(stdout, &report);
        status = r == -EINVAL ? STATUS_USAGE : r < 0 ? STATUS_FAILED : status_of(&report);
    }
    if (r == -ENOMEM)
        (void)complain_memory();
    report_done(&report);
    return screen_finish() < 0 ? STATUS_FAILED : status;
}

int command_check(int argc, char **argv)
{
    struct check_arguments *a = calloc(1, sizeof(*a));
    struct argument_group groups[] = {GROUP(rows, a)};
    int rest, status = STATUS_USAGE, r;

    if (!a) {
        (void)complain_memory();
        return STATUS_FAILED;
    }
    a->format = report_format_text();
    r = arguments_parse(argc, argv, groups, 1, intro, &rest);
    if (r > 0) {
        status = STATUS_OK;
    } else if (r == 0 && a->conditions.n == 0) {
        complain("check: what must not be? --fail-if says it");
    } else if (r == 0 && rest == argc) {
        complain("check: which file? '-' is standard input");
    } else if (r == 0) {
        r = conditions_parse(&a->conditions, "check");
        tracefile_may_go_away();
        if (r == 0)
            status = check(a, argv + rest);
        else if (r == -ENOMEM)
            status = STATUS_FAILED;
    }
    conditions_done(&a->conditions);
    free(a);
    return status;
}
