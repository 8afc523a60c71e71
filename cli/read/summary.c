/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/read/summary.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/common/arguments.h"
#include "cli/common/command.h"
#include "cli/common/screen.h"
#include "cli/read/tracefile.h"
#include "lib/process/child.h"
#include "lib/process/sandbox.h"

static const char intro[] =
    "Usage: contrace summary [OPTIONS] FILE...\n"
    "Says what Go execution traces show. FILE - is standard input. Several files get a line each.\n";

#define TOP_DEFAULT 5

struct summary_arguments {
    const char *sort, *context;
    bool json, reverse, stacks, sandbox;
    unsigned top;
};

#define FIELD(name) offsetof(struct summary_arguments, name)

static const struct argument rows[] = {
    {"json", 0, NULL, "one JSON object a file (docs/summary.schema.json)", argument_flag,
     FIELD(json)},
    {"sort", 0, "FIELD",
     "several files: the worst first, by any number of the JSON, like "
     "scheduler.latency.p99_ns, or by a column",
     argument_text, FIELD(sort)},
    {"reverse", 0, NULL, "the other way round", argument_flag, FIELD(reverse)},
    {"top", 'n', "N", "rows of each table (default 5)", argument_count, FIELD(top)},
    {"stacks", 0, NULL, "whole stacks below the call sites", argument_flag, FIELD(stacks)},
    {"context", 0, "FILE",
     "what the host knew meanwhile: a record or its member `context`, or that as JSON; if not given,"
     " the record beside the trace",
     argument_text, FIELD(context)},
    {"sandbox", 0, NULL,
     "of standard input only, with no access to anything else; the JSON is"
     " without call sites",
     argument_flag, FIELD(sandbox)},
};

static void complain_of(const char *name, const struct gotrace *trace, int r)
{
    struct gotrace_error error = gotrace_last_error(trace);

    if (error.code == r && error.text && *error.text)
        complain("%s: %s (offset %" PRIu64 ")", name, error.text, error.offset);
    else if (r == -ENODATA)
        complain("%s: nothing follows the trace's header", name);
    else
        complain("%s: %s", name, strerror(-r));
}

/* 0, or a negative errno after a message. */
static int read_fd(const char *name, int fd, bool confined, struct summary *ret)
{
    struct gotrace *trace;
    int r = gotrace_open_mapped(NULL, fd, &trace);

    if (r < 0) {
        complain("%s: %s", name, strerror(-r));
        return r;
    }
    if (!confined)
        gotrace_spill(trace, tracefile_unnamed, NULL);
    r = summary_run(trace, ret);
    if (r < 0)
        complain_of(name, trace, r);
    else if (!ret->complete)
        complain("%s: %s (offset %" PRIu64 "); what came before is summed up", name, ret->why,
                 ret->offset);
    gotrace_close(trace);
    return r;
}

static int read_file(const char *name, bool confined, struct summary *ret)
{
    int fd, r;

    if (strcmp(name, "-") == 0)
        return read_fd("standard input", STDIN_FILENO, confined, ret);
    fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        r = -errno;
        complain("%s: %s", name, strerror(errno));
        return r;
    }
    r = read_fd(name, fd, confined, ret);
    (void)close(fd);
    return r;
}

struct job {
    const struct summary_arguments *arguments;
    struct summary_view view;
    struct summary_lines lines;
    const char *path; /* to sort by */
    bool several;
    struct context given, beside; /* for view.context */
};

static int show_json(struct job *job, const struct buf *json)
{
    if (!job->arguments->json)
        return summary_lines_add(&job->lines, json, job->path);
    if (fwrite(json->data, 1, json->len, stdout) == json->len && putchar('\n') >= 0)
        return 0;
    return screen_finish(); /* which says it */
}

/* In the sandbox it is shortened to what the program that reads it takes: too long an output would
 * cost the label. */
static int make_json(const struct job *job, const struct summary *s, struct buf *json)
{
    enum summary_extent extent = job->arguments->sandbox ? SUMMARY_NO_SITES : SUMMARY_ALL;
    int r = summary_json(&job->view, s, extent, json);

    while (r == -E2BIG && job->arguments->sandbox && extent < SUMMARY_NO_NAMES) {
        buf_clear(json);
        r = summary_json(&job->view, s, ++extent, json);
    }
    return r;
}

static int show(struct job *job, const struct summary *s)
{
    struct buf json;
    int r;

    if (!job->arguments->json && !job->several) {
        summary_text(stdout, s, &job->view);
        return 0;
    }
    buf_init(&json, job->arguments->sandbox ? CHILD_OUTPUT_MAX - 1 : SUMMARY_JSON_MAX); /* '\n' */
    r = make_json(job, s, &json);
    if (r == 0)
        r = show_json(job, &json);
    buf_done(&json);
    if (r == -ENOENT)
        complain("summary: there is no number '%s' to sort by", job->arguments->sort);
    else if (r == -ENOMEM || r == -E2BIG)
        complain("%s: %s", job->view.name,
                 r == -ENOMEM ? "not enough memory" : "more JSON than there is room for");
    return r;
}

/* The exit status. In the sandbox it says more, for a program that reads no messages. */
static int failure(const struct summary_arguments *a, int r)
{
    if (!a->sandbox)
        return STATUS_FAILED;
    return r == -ENOMEM                           ? SANDBOX_EXIT_MEMORY
         : r == -EPROTONOSUPPORT || r == -ENOTSUP ? SANDBOX_EXIT_FORMAT
                                                  : STATUS_FAILED;
}

static void find_context(struct job *job)
{
    const struct summary_arguments *a = job->arguments;

    job->view.context = NULL;
    if (a->context)
        job->view.context = &job->given;
    else if (!a->sandbox && summary_context_beside(job->view.name, &job->beside))
        job->view.context = &job->beside;
}

/* Shows every file that can be read, even if others cannot. Returns the exit status. */
static int run(struct job *job, char *const *names, int n)
{
    int status = STATUS_OK;

    for (int i = 0; i < n; i++) {
        struct summary s;
        int r;

        job->view.name = names[i];
        find_context(job);
        r = read_file(names[i], job->arguments->sandbox, &s);
        if (r < 0) {
            status = failure(job->arguments, r);
            continue;
        }
        if (!s.complete)
            status = STATUS_FAILED;
        r = show(job, &s);
        summary_done(&s);
        if (r < 0)
            return r == -ENOENT ? STATUS_USAGE : failure(job->arguments, r);
    }
    if (job->several && !job->arguments->json)
        summary_lines_print(stdout, &job->lines, job->path, job->arguments->reverse, &job->view);
    return screen_finish() < 0 ? STATUS_FAILED : status;
}

int command_summary(int argc, char **argv)
{
    struct summary_arguments a = {0};
    const struct argument_group groups[] = {GROUP(rows, &a)};
    struct job job = {.arguments = &a};
    int rest, status, r = arguments_parse(argc, argv, groups, 1, intro, &rest);

    if (r != 0)
        return r < 0 ? STATUS_USAGE : STATUS_OK;
    if (rest == argc) {
        complain("summary: which file? '-' is standard input");
        return STATUS_USAGE;
    }
    if (a.sandbox && (argc - rest > 1 || strcmp(argv[rest], "-") != 0)) {
        complain("summary: --sandbox reads standard input and nothing else: '-'");
        return STATUS_USAGE;
    }
    if (a.context && argc - rest > 1) {
        complain("summary: --context is of one trace");
        return STATUS_USAGE;
    }
    tracefile_may_go_away();
    json_object_seed(0); /* of /dev/urandom, which cannot be opened in the sandbox */
    r = a.sandbox ? sandbox_enter() : 0;
    if (r < 0) {
        complain("summary: no sandbox: %s", strerror(-r));
        return SANDBOX_EXIT_UNCONFINED;
    }
    if (a.context && summary_context_given(a.context, a.sandbox, &job.given) < 0)
        return STATUS_USAGE;
    job.several = argc - rest > 1 || a.sort;
    job.path = a.sort ? summary_lines_path(a.sort) : NULL;
    job.view = (struct summary_view){
        .utf8 = screen_utf8(),
        .stacks = a.stacks,
        .top = a.top ? a.top : TOP_DEFAULT,
        .whole = a.top > 0,
    };
    status = run(&job, argv + rest, argc - rest);
    summary_lines_done(&job.lines);
    return status;
}
