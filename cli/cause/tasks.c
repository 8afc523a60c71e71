/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cause/tasks.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/common/arguments.h"
#include "cli/common/command.h"
#include "cli/common/screen.h"
#include "cli/read/tracefile.h"

static const char intro[] =
    "Usage: contrace tasks [--type=TYPE] [--limit=N] [--json] FILE\n"
    "       contrace tasks --id=N [--json] FILE\n"
    "       contrace tasks --span=ID [--limit=N] [--json] FILE...\n"
    "Shows the slowest tasks of a Go execution trace as trees: the tasks below each, what its time\n"
    "was made of, the goroutines that worked for it, its regions and logs. A task is what a program\n"
    "marks by runtime/trace's NewTask, a request or a span of it. FILE - is standard input.\n"
    "For example: 'contrace tasks --span=b7ad6b7169203331 *.trace' finds the span of a distributed\n"
    "trace, if a log or the type of its task has the id.\n";

#define LIMIT_DEFAULT 5

struct tasks_arguments {
    const char *type, *span;
    struct {
        bool given;
        uint64_t n;
    } id;
    unsigned limit;
    bool json;
};

static const char *read_id(void *field, const char *value)
{
    struct tasks_arguments *a = field;

    if (parse_unsigned(value, INT64_MAX, &a->id.n) < 0 || a->id.n == 0)
        return "a task's number, such as 42";
    a->id.given = true;
    return NULL;
}

static const char *read_limit(void *field, const char *value)
{
    uint64_t n;

    if (parse_unsigned(value, WANTED_MAX, &n) < 0 || n == 0)
        return "a number from 1 to 1000";
    *(unsigned *)field = (unsigned)n;
    return NULL;
}

#define FIELD(field) offsetof(struct tasks_arguments, field)

static const struct argument rows[] = {
    {"type", 0, "TYPE", "tasks whose type contains TYPE, also those below others", argument_text,
     FIELD(type)},
    {"id", 0, "N", "the task with this number", read_id, 0},
    {"span", 0, "ID", "tasks of this span or distributed trace, or of a traceparent header's span",
     argument_text, FIELD(span)},
    {"limit", 'n', "N", "so many, the slowest (default 5, at most 1000)", read_limit, FIELD(limit)},
    {"json", 0, NULL, "a JSON object for each file (docs/tasks.schema.json)", argument_flag,
     FIELD(json)},
};

/* What one file is about. */
struct job {
    const struct tasks_arguments *arguments;
    const struct wanted_query *query;
    struct tasks_view view;
    struct failure failure; /* for the view */
    struct wanted wanted;
    struct trees trees;
    bool found;
};

static int fail(const struct job *job, const struct failure *f)
{
    return failure_tell(job->view.file, job->arguments->json ? TASKS_SCHEMA : 0, f);
}

static int show(struct job *job)
{
    struct failure failure;
    struct buf json;
    int r = 0;

    /* Of several files, those that have the span. */
    if (job->arguments->span && !job->found)
        return 0;
    if (!job->arguments->json) {
        tasks_text(stdout, &job->trees, &job->view);
        return screen_finish();
    }
    buf_init(&json, TASKS_JSON_MAX);
    r = tasks_json(&job->trees, &job->view, &json);
    if (r == 0)
        (void)puts(buf_str(&json));
    buf_done(&json);
    if (r == 0)
        return screen_finish();
    failure = failure_of_json(r);
    return fail(job, &failure);
}

/* 0; 1 after a message if the trace breaks off behind something; a negative errno after one. */
static int first_pass(struct job *job, int fd)
{
    struct gotrace *trace = NULL;
    int r = gotrace_open_mapped(NULL, fd, &trace);

    if (r == 0) {
        gotrace_spill(trace, tracefile_unnamed, NULL);
        r = wanted_run(&job->wanted, trace);
    }
    if (r < 0)
        job->failure = trace ? failure_of_trace(trace, r) : failure_of(r);
    if (r < 0 && job->wanted.begun && r != -ENOMEM && r != -ENOTSUP) {
        failure_complain(job->view.file, &job->failure, "; what came before is shown");
        job->view.failure = &job->failure;
        r = 1;
    } else if (r < 0) {
        r = fail(job, &job->failure);
    }
    job->view.version = trace ? gotrace_version(trace) : 0;
    gotrace_close(trace);
    return r;
}

static int second_pass(struct job *job, int fd)
{
    struct gotrace *trace = NULL;
    int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : gotrace_open_mapped(NULL, fd, &trace);

    if (r == 0) {
        gotrace_spill(trace, tracefile_unnamed, NULL);
        r = trees_run(&job->trees, trace);
    }
    if (r < 0) {
        job->failure = trace ? failure_of_trace(trace, r) : failure_of(r);
        r = fail(job, &job->failure);
    }
    gotrace_close(trace);
    return r;
}

static int both_passes(struct job *job, int fd, uint64_t seed)
{
    int code = first_pass(job, fd), r;

    if (code < 0)
        return code;
    job->found = job->wanted.n > 0;
    r = trees_init(&job->trees, &job->wanted, seed);
    if (r < 0) {
        job->failure = failure_of(r);
        r = fail(job, &job->failure);
    } else {
        r = second_pass(job, fd);
    }
    if (r == 0)
        r = show(job);
    trees_done(&job->trees);
    return r < 0 ? r : code;
}

static int tasks_of(const char *path, const struct tasks_arguments *a,
                    const struct wanted_query *query, bool *found)
{
    struct job *job = calloc(1, sizeof(*job));
    _cleanup_close_ int fd = -1;
    uint64_t seed;
    int r;

    if (!job)
        return complain_memory();
    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
        seed = (uintptr_t)job;
    job->arguments = a;
    job->view = (struct tasks_view){.file = path,
                                    .span = a->span,
                                    .type = a->type,
                                    .by_id = a->id.given,
                                    .utf8 = screen_utf8()};
    wanted_init(&job->wanted, query, seed | 1);
    fd = tracefile_open_again(path);
    if (fd < 0) {
        job->failure = failure_of(fd);
        r = fail(job, &job->failure);
    } else {
        r = both_passes(job, fd, seed | 1);
    }
    *found = *found || job->found;
    wanted_done(&job->wanted);
    free(job);
    return r;
}

static int usage(const struct tasks_arguments *a, int n_files, struct spanid *span)
{
    if ((a->type != NULL) + (a->span != NULL) + a->id.given > 1)
        complain("tasks: one of --type, --id and --span");
    else if (n_files == 0)
        complain("tasks: which file? '-' is standard input");
    else if (n_files > 1 && !a->span)
        complain("tasks: several files only with --span");
    else if (a->span && !spanid_read(a->span, span))
        complain("tasks: --span=%s is no id: up to %d characters without blanks", a->span,
                 SPANID_MAX);
    else
        return 0;
    return -EINVAL;
}

int command_tasks(int argc, char **argv)
{
    struct tasks_arguments a = {.limit = LIMIT_DEFAULT};
    const struct argument_group groups[] = {GROUP(rows, &a)};
    struct wanted_query query;
    struct spanid span;
    bool found = false;
    int rest, worst = 0, r = arguments_parse(argc, argv, groups, 1, intro, &rest);

    if (r != 0)
        return r < 0 ? STATUS_USAGE : STATUS_OK;
    if (usage(&a, argc - rest, &span) < 0)
        return STATUS_USAGE;
    query = (struct wanted_query){.type = a.type,
                                  .by_id = a.id.given,
                                  .id = a.id.n,
                                  .span = a.span ? &span : NULL,
                                  .limit = a.limit};
    tracefile_may_go_away();
    for (int i = rest; i < argc && worst != -EPIPE; i++) {
        r = tasks_of(argv[i], &a, &query, &found);
        worst = worst < 0 || r == 0 ? worst : r;
    }
    if (a.span && !found && worst != -EPIPE) {
        complain("tasks: no task here has '%s' in a log or in its type", a.span);
        return STATUS_FAILED;
    }
    return command_exit(worst);
}
