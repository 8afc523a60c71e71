/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cause/blockers.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/common/arguments.h"
#include "cli/common/command.h"
#include "cli/common/screen.h"
#include "cli/read/tracefile.h"

static const char intro[] =
    "Usage: contrace blockers [--top=N] [--json] FILE\n"
    "Says who kept goroutines waiting: for each place where they waited for a mutex, a channel or\n"
    "another goroutine, who woke them, for how long that one held what they waited for, and what it\n"
    "did meanwhile. Waits are those of 'contrace pprof --sync'. FILE - is standard input.\n"
    "For example: 'contrace blockers --top=3 checkout.trace' shows the three worst.\n";

#define TOP_DEFAULT 10

struct blockers_arguments {
    unsigned top;
    bool json;
};

#define FIELD(field) offsetof(struct blockers_arguments, field)

static const struct argument rows[] = {
    {"top", 'n', "N", "rows (default 10; with --json all)", argument_count, FIELD(top)},
    {"json", 0, NULL, "one JSON object (docs/blockers.schema.json)", argument_flag, FIELD(json)},
};

struct job {
    const struct blockers_arguments *arguments;
    struct blockers_view view;
    struct failure failure; /* for the view */
};

static int fail(const struct job *job, const struct failure *f)
{
    return failure_tell(job->view.file, job->arguments->json ? BLOCKERS_SCHEMA : 0, f);
}

static int show(struct job *job, const struct blockers *b)
{
    struct blockers_result result = blockers_result(b);
    struct failure failure;
    struct buf json;
    int r;

    if (!job->arguments->json) {
        blockers_text(stdout, &result, &job->view);
        return screen_finish();
    }
    buf_init(&json, BLOCKERS_JSON_MAX);
    r = blockers_json(&result, &job->view, &json);
    if (r == 0)
        (void)puts(buf_str(&json));
    buf_done(&json);
    if (r == 0)
        return screen_finish();
    failure = failure_of_json(r);
    return fail(job, &failure);
}

/* One reading. A number of enum blockers_next, or a negative errno after a message. */
static int run_once(struct job *job, struct blockers *b, int fd)
{
    struct gotrace *trace = NULL;
    int broken = 0;
    int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : gotrace_open_mapped(NULL, fd, &trace);

    if (r == 0) {
        gotrace_spill(trace, tracefile_unnamed, NULL);
        r = blockers_run(b, trace, &broken);
        job->view.version = gotrace_version(trace);
    }
    if (broken < 0) {
        job->failure = failure_of_trace(trace, broken);
        job->view.failure = &job->failure;
        failure_complain(job->view.file, &job->failure,
                         "; the sums are of the generations before that");
    } else if (r < 0) {
        job->failure = trace ? failure_of_trace(trace, r) : failure_of(r);
        if (r == -E2BIG && !job->failure.placed)
            (void)strcpy(job->failure.text, "too many goroutines or stacks to remember");
        r = fail(job, &job->failure);
    }
    gotrace_close(trace);
    return r;
}

static int blockers_of(const char *path, const struct blockers_arguments *a)
{
    struct job job = {
        .arguments = a,
        .view = {.file = path,
                 .top = a->top || a->json ? a->top : TOP_DEFAULT,
                 .utf8 = screen_utf8()},
    };
    _cleanup_close_ int fd = tracefile_open_again(path);
    struct blockers *b = NULL;
    int r = fd < 0 ? fd : blockers_new(&b);

    if (r < 0) {
        job.failure = failure_of(r);
        return fail(&job, &job.failure);
    }
    do {
        r = run_once(&job, b, fd);
    } while (r == BLOCKERS_AGAIN);
    if (r == BLOCKERS_DONE)
        r = show(&job, b);
    blockers_free(b);
    return r == 0 && job.view.failure ? job.failure.code : r;
}

int command_blockers(int argc, char **argv)
{
    struct blockers_arguments a = {0};
    const struct argument_group groups[] = {GROUP(rows, &a)};
    int rest, r = arguments_parse(argc, argv, groups, 1, intro, &rest);

    if (r != 0)
        return r < 0 ? STATUS_USAGE : STATUS_OK;
    if (argc - rest != 1) {
        complain("blockers: %s",
                 rest == argc ? "which file? '-' is standard input" : "one file at a time");
        return STATUS_USAGE;
    }
    tracefile_may_go_away();
    return command_exit(blockers_of(argv[rest], &a));
}
