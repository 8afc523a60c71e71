/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/read/timeline.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/common/arguments.h"
#include "cli/common/command.h"
#include "cli/common/screen.h"
#include "cli/read/tracefile.h"

static const char intro[] =
    "Usage: contrace timeline [OPTIONS] FILE\n"
    "Shows what a Go program did, line by line of its execution trace's time. FILE - is standard\n"
    "input.\n";

#define NSEC_PER_USEC 1000u
#define STEP_LEAST 1000u /* microseconds */

struct timeline_arguments {
    usec step, since, until;
    bool json;
};

#define FIELD(field) offsetof(struct timeline_arguments, field)

static const char *read_duration(void *field, const char *value)
{
    usec duration;

    if (parse_duration(value, &duration) < 0 || duration > TIMELINE_SPAN_MAX / NSEC_PER_USEC)
        return "a duration from the trace's beginning, such as 250ms or 1.5s";
    *(usec *)field = duration;
    return NULL;
}

static const char *read_step(void *field, const char *value)
{
    usec step;

    if (parse_duration(value, &step) < 0 || step < STEP_LEAST ||
        step > TIMELINE_SPAN_MAX / NSEC_PER_USEC)
        return "the time of a line, from 1ms on, such as 10ms or 1s";
    *(usec *)field = step;
    return NULL;
}

static const struct argument rows[] = {
    {"step", 0, "D", "the time of a line (default: 10ms, 50ms, … so that there are at most 60)",
     read_step, FIELD(step)},
    {"since", 0, "D", "from so long after the trace's beginning", read_duration, FIELD(since)},
    {"until", 0, "D", "up to so long after the trace's beginning", read_duration, FIELD(until)},
    {"json", 0, NULL, "one JSON object (docs/timeline.schema.json)", argument_flag, FIELD(json)},
};

/* Says why nothing is known of the file, in the JSON, too. Returns its errno. */
static int fail(const struct timeline_arguments *a, const char *file, const struct failure *f)
{
    failure_complain(file, f, "");
    if (a->json && failure_print(file, TIMELINE_SCHEMA, f) == 0)
        (void)screen_finish();
    return f->code == -EINVAL ? -EIO : f->code; /* which is no wrong usage */
}

static int show_json(const struct timeline_result *t, const struct timeline_view *view)
{
    struct buf json;
    int r;

    buf_init(&json, TIMELINE_JSON_MAX);
    r = timeline_json(t, view, &json);
    if (r == 0)
        r = buf_adds(&json, "\n");
    if (r == 0)
        (void)fwrite(json.data, 1, json.len, stdout);
    buf_done(&json);
    return r;
}

static int show(const struct timeline_arguments *a, const struct timeline_result *t,
                const struct timeline_view *view)
{
    struct failure failure;
    int r = 0;

    if (t->start >= t->end) {
        complain("timeline: --since is behind the trace's end");
        return -EINVAL;
    }
    if (a->json)
        r = show_json(t, view);
    else
        timeline_text(stdout, t, view);
    if (r < 0) {
        failure = failure_of_json(r);
        return fail(a, view->file, &failure);
    }
    return screen_finish();
}

/* Whether what came before a failure of the reader counts. */
static bool counts(const struct gotrace *trace, int r)
{
    return gotrace_last_error(trace).code == r && r != -ENOMEM && r != -ENOTSUP;
}

/* 0; 1 after a message if the trace breaks off behind something; a negative errno after one. */
static int read_trace(const struct timeline_arguments *a, const char *file, struct gotrace *trace,
                      struct timeline *t, struct failure *failure)
{
    int r = timeline_run(t, trace);
    bool some = timeline_result(t).generations > 0;

    if (r == 0 && some)
        return 0;
    *failure = failure_of_trace(trace, r == 0 ? -ENODATA : r);
    if (r < 0 && some && counts(trace, r)) {
        failure_complain(file, failure, "; the lines are of what came before");
        return 1;
    }
    if (r == -E2BIG && !failure->placed)
        (void)strcpy(failure->text, "more than 3,276 lines: --step must be longer");
    if (r == -EOVERFLOW && !failure->placed)
        (void)strcpy(failure->text, "its times are more than a year apart");
    return fail(a, file, failure);
}

static int run(const struct timeline_arguments *a, const char *file, struct gotrace *trace,
               struct timeline *t)
{
    struct failure failure;
    struct timeline_result result;
    struct timeline_view view;
    int shown, r = read_trace(a, file, trace, t, &failure);

    if (r < 0)
        return r;
    result = timeline_result(t);
    view = (struct timeline_view){
        .file = file,
        .version = gotrace_version(trace),
        .bytes = gotrace_bytes_read(trace),
        .failure = r > 0 ? &failure : NULL,
        .pieces = a->step > 0 ? TIMELINE_PIECES : timeline_pieces(&result),
        .utf8 = screen_utf8(),
    };
    shown = show(a, &result, &view);
    return shown < 0 ? shown : r;
}

static int timeline(const char *file, const struct timeline_arguments *a)
{
    const struct timeline_options options = {
        .step = (int64_t)(a->step * NSEC_PER_USEC / TIMELINE_PIECES),
        .since = (int64_t)(a->since * NSEC_PER_USEC),
        .until = (int64_t)(a->until * NSEC_PER_USEC),
    };
    _cleanup_close_ int fd = tracefile_open(file);
    struct gotrace *trace = NULL;
    struct timeline *t = NULL;
    struct failure failure;
    int r = fd < 0 ? fd : gotrace_open_mapped(NULL, fd, &trace);

    if (r == 0)
        r = timeline_new(&options, &t);
    if (r < 0) {
        failure = failure_of(r);
        r = fail(a, file, &failure);
    } else {
        gotrace_spill(trace, tracefile_unnamed, NULL);
        r = run(a, file, trace, t);
    }
    timeline_free(t);
    gotrace_close(trace);
    return r;
}

int command_timeline(int argc, char **argv)
{
    struct timeline_arguments a = {0};
    const struct argument_group groups[] = {GROUP(rows, &a)};
    int rest, r = arguments_parse(argc, argv, groups, 1, intro, &rest);

    if (r != 0)
        return r < 0 ? STATUS_USAGE : STATUS_OK;
    if (argc - rest != 1)
        complain("timeline: %s",
                 rest == argc ? "which file? '-' is standard input" : "one file at a time");
    else if (a.until > 0 && a.until <= a.since)
        complain("timeline: --until must be later than --since");
    else {
        tracefile_may_go_away();
        return command_exit(timeline(argv[rest], &a));
    }
    return STATUS_USAGE;
}
