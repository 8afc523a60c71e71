/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/timeline/timeline.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/common/arguments.h"
#include "cli/common/command.h"
#include "cli/common/print.h"
#include "cli/common/screen.h"
#include "cli/timeline/timeline_choice.h"
#include "cli/timeline/timeline_file.h"
#include "cli/common/confined.h"
#include "cli/read/tracefile.h"

static const char intro[] =
    "Usage: contrace timeline [OPTIONS] FILE\n"
    "Shows what a Go program did, line by line of its execution trace's time, or writes that for\n"
    "https://ui.perfetto.dev. FILE - is standard input. For example, to look at the time around the\n"
    "first of the slowest that 'contrace summary' shows: 'contrace timeline --around=outlier:1\n"
    "-o a.pftrace a.trace'.\n";

#define NSEC_PER_USEC 1000u
#define STEP_LEAST 1000u /* microseconds */
#define GOROUTINES 20
#define LINES 60

struct timeline_arguments {
    usec step, since, until;
    unsigned around, goroutines, lines;
    const char *out;
    bool json, force, sandbox;
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

static const char *read_around(void *field, const char *value)
{
    static const char prefix[] = "outlier:";

    if (strncmp(value, prefix, sizeof(prefix) - 1) == 0 &&
        !argument_count(field, value + sizeof(prefix) - 1))
        return NULL;
    return "an outlier by its place in the summary, such as outlier:1";
}

static const struct argument rows[] = {
    {"step", 0, "D", "the time of a line (default: 10ms, 50ms, … so that there are at most 60)",
     read_step, FIELD(step)},
    {"lines", 0, "N", "at most so many lines, unless --step says how long one is (default 60)",
     argument_count, FIELD(lines)},
    {"since", 0, "D", "from so long after the trace's beginning", read_duration, FIELD(since)},
    {"until", 0, "D", "up to so long after the trace's beginning", read_duration, FIELD(until)},
    {"around", 0, "outlier:N", "around the Nth row of the summary's slowest", read_around,
     FIELD(around)},
    {"json", 0, NULL, "one JSON object (docs/timeline.schema.json)", argument_flag, FIELD(json)},
    {"output", 'o', "OUT", "write it for Perfetto, OUT.pftrace; '-' is standard output",
     argument_text, FIELD(out)},
    {"force", 'f', NULL, "replace OUT if there is one", argument_flag, FIELD(force)},
    {"goroutines", 'n', "N", "in OUT: so many of the slowest get tracks of their own (default 20)",
     argument_count, FIELD(goroutines)},
    {"sandbox", 0, NULL, CONFINED_HELP, argument_flag, FIELD(sandbox)},
};

/* For data that should not be in memory; in the sandbox there is no other place. */
static gotrace_spill_fn spill_of(const struct timeline_arguments *a)
{
    return a->sandbox ? NULL : tracefile_unnamed;
}

static int fail(const struct timeline_arguments *a, const char *file, const struct failure *f)
{
    return failure_tell(file, a->json && !a->sandbox ? TIMELINE_SCHEMA : 0, f);
}

static int show_json(const struct timeline_result *t, const struct timeline_view *view)
{
    struct buf json;
    int r;

    buf_init(&json, TIMELINE_JSON_MAX);
    r = timeline_json(t, view, &json);
    if (r == 0)
        print_whole(stdout, json.data, json.len);
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
        .pieces = a->step > 0 ? TIMELINE_PIECES
                              : timeline_pieces(&result, a->lines > 0 ? a->lines : LINES),
        .utf8 = screen_utf8(),
    };
    shown = show(a, &result, &view);
    return shown < 0 ? shown : r;
}

static int print(const char *file, int fd, const struct timeline_arguments *a,
                 const struct timeline_choice *choice)
{
    const struct timeline_options options = {
        .step = (int64_t)(a->step * NSEC_PER_USEC / TIMELINE_PIECES),
        .since = choice->since,
        .until = choice->until,
    };
    struct gotrace *trace = NULL;
    struct timeline *t = NULL;
    struct failure failure;
    int r = a->around > 0 && lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;

    if (r == 0)
        r = gotrace_open_mapped(NULL, fd, &trace);
    if (r == 0)
        r = timeline_new(&options, &t);
    if (r < 0) {
        failure = failure_of(r);
        r = fail(a, file, &failure);
    } else {
        gotrace_spill(trace, spill_of(a), NULL);
        r = run(a, file, trace, t);
    }
    timeline_free(t);
    gotrace_close(trace);
    return r;
}

static int timeline(const char *file, const struct timeline_arguments *a)
{
    struct timeline_choice choice = {
        .since = (int64_t)(a->since * NSEC_PER_USEC),
        .until = (int64_t)(a->until * NSEC_PER_USEC),
    };
    const struct timeline_file out = {a->out, a->force, spill_of(a), &choice};
    bool twice = a->out || a->around > 0;
    _cleanup_close_ int fd = a->sandbox ? STDIN_FILENO
                           : twice      ? tracefile_open_again(file)
                                        : tracefile_open(file);
    struct failure failure;
    int r = 0;

    if (fd < 0) {
        failure = failure_of(fd);
        return fail(a, file, &failure);
    }
    if (twice)
        r = timeline_choose(file, fd, spill_of(a), a->around,
                            a->goroutines > 0 ? a->goroutines : GOROUTINES, &choice);
    if (r < 0)
        return r;
    return a->out ? timeline_file(file, fd, &out) : print(file, fd, a, &choice);
}

static const char *wrong(const struct timeline_arguments *a, int n_files)
{
    if (n_files == 0)
        return "which file? '-' is standard input";
    if (n_files > 1)
        return "one file at a time";
    if (a->until > 0 && a->until <= a->since)
        return "--until must be later than --since";
    if (a->around > 0 && (a->since > 0 || a->until > 0))
        return "--around says from when to when, so --since and --until cannot";
    if (a->out && (a->json || a->step > 0 || a->lines > 0))
        return "--json, --step and --lines are for the lines, which --output does not print";
    if (a->sandbox && a->out && strcmp(a->out, "-") != 0)
        return "--sandbox writes to standard output and nowhere else: --output=-";
    if (!a->out && (a->force || a->goroutines > 0))
        return "--force and --goroutines are for --output";
    if (a->out && strcmp(a->out, "-") == 0 && isatty(STDOUT_FILENO))
        return "the file is not for a terminal; --output=OUT.pftrace writes it";
    return NULL;
}

int command_timeline(int argc, char **argv)
{
    struct timeline_arguments a = {0};
    const struct argument_group groups[] = {GROUP(rows, &a)};
    int rest, r = arguments_parse(argc, argv, groups, 1, intro, &rest);
    const char *error;

    if (r != 0)
        return r < 0 ? STATUS_USAGE : STATUS_OK;
    error = wrong(&a, argc - rest);
    if (error) {
        complain("timeline: %s", error);
        return STATUS_USAGE;
    }
    if (a.sandbox && confined_check("timeline", argc - rest, argv + rest) < 0)
        return STATUS_USAGE;
    tracefile_may_go_away();
    r = a.sandbox ? confined_enter("timeline") : 0;
    if (r != 0)
        return r;
    r = timeline(argv[rest], &a);
    return a.sandbox ? confined_exit(r) : command_exit(r);
}
