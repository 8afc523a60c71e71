/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/read/summary.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/common/arguments.h"
#include "cli/common/command.h"
#include "cli/common/print.h"
#include "cli/common/screen.h"
#include "cli/read/failure.h"
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

/* Says why nothing is known of a file, in the JSON, too. In the sandbox the exit status says it. */
static int fail(const char *name, const struct summary_arguments *a, const struct failure *f)
{
    failure_complain(name, f, "");
    if (a->json && !a->sandbox)
        (void)failure_print(name, SUMMARY_SCHEMA, f);
    return f->code;
}

/* 0, or a negative errno after a message. */
static int read_fd(const char *name, int fd, const struct summary_arguments *a, struct summary *ret)
{
    struct gotrace *trace;
    struct failure failure;
    int r = gotrace_open_mapped(NULL, fd, &trace);

    if (r < 0) {
        failure = failure_of(r);
        return fail(name, a, &failure);
    }
    if (!a->sandbox)
        gotrace_spill(trace, tracefile_unnamed, NULL);
    r = summary_run(trace, ret);
    if (r < 0) {
        failure = failure_of_trace(trace, r);
        (void)fail(name, a, &failure);
    } else if (!ret->complete) {
        failure = summary_failure(ret);
        failure_complain(name, &failure, "; what came before is summed up");
    }
    gotrace_close(trace);
    return r;
}

static int read_file(const char *name, const struct summary_arguments *a, struct summary *ret)
{
    struct failure failure;
    int fd, r;

    if (a->sandbox)
        return read_fd(name, STDIN_FILENO, a, ret);
    fd = tracefile_open(name);
    if (fd < 0) {
        failure = failure_of(fd);
        return fail(name, a, &failure);
    }
    r = read_fd(name, fd, a, ret);
    (void)close(fd);
    return r;
}

struct job {
    const struct summary_arguments *arguments;
    struct summary_view view;
    struct summary_lines lines;
    const char *path; /* to sort by */
    bool several;
    struct summary_given given; /* for view.context, */
    struct context beside;      /* likewise */
};

static int show_json(struct job *job, const struct buf *json)
{
    if (!job->arguments->json)
        return summary_lines_add(&job->lines, json, job->path);
    print_whole(stdout, json->data, json->len);
    return 0;
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

/* 0, or a negative errno after a message. */
static int show(struct job *job, const struct summary *s)
{
    struct failure failure;
    struct buf json;
    int r;

    if (!job->arguments->json && !job->several) {
        r = summary_text(stdout, s, &job->view);
        return r < 0 ? complain_memory() : 0;
    }
    buf_init(&json, job->arguments->sandbox ? CHILD_OUTPUT_MAX - 1 : SUMMARY_JSON_MAX); /* '\n' */
    r = make_json(job, s, &json);
    if (r == 0)
        r = show_json(job, &json);
    buf_done(&json);
    if (r == -ENOENT) {
        complain("summary: there is no number '%s' to sort by", job->arguments->sort);
    } else if (r < 0) {
        failure = failure_of_json(r);
        (void)fail(job->view.name, job->arguments, &failure);
    }
    return r;
}

/* The exit status. In the sandbox it says more, for a program that reads no messages. */
static int exit_of(const struct summary_arguments *a, int r)
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
        job->view.context = &job->given.context;
    else if (!a->sandbox && summary_context_beside(job->view.name, &job->beside))
        job->view.context = &job->beside;
}

/* In the sandbox it is contraced's own, which knows what it is of. */
static int check_context(const struct job *job, const struct summary *s)
{
    if (!job->arguments->context || job->arguments->sandbox)
        return 0;
    return summary_context_check(&job->given, job->view.name, s);
}

/* Shows every file that can be read, even if others cannot. Returns the exit status. */
static int run(struct job *job, char *const *names, int n)
{
    int status = STATUS_OK;

    for (int i = 0; i < n && !ferror(stdout); i++) {
        struct summary s;
        int r;

        job->view.name = names[i];
        find_context(job);
        r = read_file(names[i], job->arguments, &s);
        if (r < 0) {
            status = exit_of(job->arguments, r);
            continue;
        }
        if (!s.complete)
            status = STATUS_FAILED;
        r = check_context(job, &s);
        if (r == 0)
            r = show(job, &s);
        summary_done(&s);
        if (r == -ENOENT || r == -ESTALE)
            return STATUS_USAGE;
        if (r < 0)
            status = exit_of(job->arguments, r);
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
        return a.sandbox || *a.context == '{' ? STATUS_USAGE : STATUS_FAILED;
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
