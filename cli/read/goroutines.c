/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/read/goroutines.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/common/arguments.h"
#include "cli/common/command.h"
#include "cli/common/print.h"
#include "cli/common/screen.h"
#include "cli/read/alive.h"
#include "cli/read/tracefile.h"

static const char intro[] =
    "Usage: contrace goroutines [OPTIONS] FILE\n"
    "       contrace goroutines --at=end|TIME [--name=TEXT] [--top=N] [--json] FILE\n"
    "Groups the goroutines of a Go execution trace by the function that they started with, and says\n"
    "what each group's time went into, as 'go tool trace' does. FILE - is standard input.\n"
    "Columns to sort by, in any case: count, exec, sched, block, syscall, sysblk, total, and\n"
    "unknown, assist, sweep, stw; or a reason to block, such as 'chan receive'.\n"
    "For example: 'contrace goroutines --at=end checkout.trace' says where goroutines are when the\n"
    "trace ends, who created them, and whether there are more than at its beginning.\n";

#define TOP_DEFAULT 10
#define NSEC_PER_USEC 1000u

struct goroutines_arguments {
    const char *name, *sort;
    bool each, json, reverse;
    unsigned top;
    struct goroutines_moment {
        bool given;
        int64_t time; /* as of alive_new */
    } at;
};

static const char *read_moment(void *field, const char *value)
{
    struct goroutines_moment *at = field;
    usec duration = 0;

    at->given = true;
    at->time = ALIVE_END;
    if (strcmp(value, "end") == 0)
        return NULL;
    if (strcmp(value, "0") != 0 &&
        (parse_duration(value, &duration) < 0 || duration > INT64_MAX / NSEC_PER_USEC - 1))
        return "'end', or a duration from the trace's beginning, such as 250ms or 1.5s";
    at->time = (int64_t)(duration * NSEC_PER_USEC);
    return NULL;
}

#define FIELD(field) offsetof(struct goroutines_arguments, field)

static const struct argument rows[] = {
    {"name", 0, "TEXT", "only start functions whose name contains TEXT, and their goroutines",
     argument_text, FIELD(name)},
    {"each", 0, NULL, "all goroutines, one by one", argument_flag, FIELD(each)},
    {"sort", 0, "COLUMN", "the largest first, by a column or a reason to block", argument_text,
     FIELD(sort)},
    {"reverse", 0, NULL, "the other way round", argument_flag, FIELD(reverse)},
    {"top", 'n', "N", "rows of each table (default 10; with --json all)", argument_count,
     FIELD(top)},
    {"at", 0, "TIME", "where goroutines are so long after the beginning, or at the 'end'",
     read_moment, FIELD(at)},
    {"json", 0, NULL, "one JSON object (docs/goroutines.schema.json)", argument_flag, FIELD(json)},
};

/* How groups are ordered, and the goroutines that are shown. */
struct order {
    struct worst_order groups, list;
    bool by_count; /* groups */
};

/* Whether that is this column, as the user writes it or as the text has it. */
static bool is_column(const char *word, const struct goroutines_field *field)
{
    return strcasecmp(word, field->name) == 0 ||
           (field->head && strcasecmp(word, field->head) == 0);
}

/* By default as Go's pages: groups by execution, goroutines by their total. */
static struct order read_order(const struct goroutines_arguments *a)
{
    struct order o = {.groups = {TIMES_EXEC, NULL, a->reverse},
                      .list = {TIMES_TOTAL, NULL, a->reverse}};

    if (!a->sort)
        return o;
    o.by_count = strcasecmp(a->sort, "count") == 0;
    if (o.by_count)
        return o;
    o.groups.reason = a->sort;
    for (unsigned i = 0; i < TIMES_N; i++) {
        if (is_column(a->sort, &goroutines_fields[i]))
            o.groups = (struct worst_order){(enum times_field)i, NULL, a->reverse};
    }
    o.list = o.groups;
    return o;
}

static bool blocks_for(const struct goroutines_result *g, const char *reason)
{
    for (unsigned i = 0; i < g->columns->n; i++) {
        const struct column *c = &g->columns->list[i];

        if (c->kind == COLUMN_BLOCK && strcmp(c->text, reason) == 0)
            return true;
    }
    return false;
}

/* A group with its place in the order. */
struct placed {
    int64_t key;
    const char *name;
    const struct group *group;
};

static int compare(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;

    if (x->key != y->key)
        return x->key > y->key ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int64_t key_of(const struct order *o, const struct goroutines_result *g,
                      const struct group *group)
{
    if (o->by_count)
        return o->groups.reverse ? -(int64_t)group->count : (int64_t)group->count;
    return worst_key(&o->groups, g->shares, &group->times);
}

/* The groups to show, in order; at least one element of memory. 0 or -ENOMEM. */
static int choose(const struct goroutines_result *g, const struct order *o, const char *name,
                  const struct group ***ret, size_t *ret_n)
{
    _cleanup_free_ struct placed *list = calloc(g->groups->n + 1, sizeof(*list));
    const struct group **groups = calloc(g->groups->n + 1, sizeof(const struct group *));
    size_t n = 0;

    if (!list || !groups) {
        free(groups);
        return -ENOMEM;
    }
    for (size_t i = 0; i < g->groups->n; i++) {
        const struct group *group = &g->groups->list[i];
        const char *text = groups_shown_name(texts_get(g->texts, group->name));

        if (!name || strstr(text, name))
            list[n++] = (struct placed){key_of(o, g, group), text, group};
    }
    qsort(list, n, sizeof(*list), compare);
    for (size_t i = 0; i < n; i++)
        groups[i] = list[i].group;
    *ret = groups;
    *ret_n = n;
    return 0;
}

static int fail(const struct goroutines_arguments *a, const char *file, const struct failure *f)
{
    return failure_tell(file, a->json ? GOROUTINES_SCHEMA : 0, f);
}

static int show_json(const struct goroutines_result *g, const struct goroutines_view *view)
{
    struct buf json;
    int r;

    buf_init(&json, GOROUTINES_JSON_MAX);
    r = goroutines_json(g, view, &json);
    if (r == 0)
        print_whole(stdout, json.data, json.len);
    buf_done(&json);
    return r;
}

static int show(const struct goroutines_arguments *a, const struct order *o,
                const struct goroutines_result *g, struct goroutines_view *view)
{
    struct failure failure;
    int r;

    if (o->groups.reason && !blocks_for(g, o->groups.reason)) {
        complain("goroutines: '%s' is no column, and no goroutine blocked for that reason",
                 o->groups.reason);
        return -EINVAL;
    }
    r = choose(g, o, a->name, &view->groups, &view->n_groups);
    if (r == 0 && a->json)
        r = show_json(g, view);
    else if (r == 0)
        goroutines_text(stdout, g, view);
    free(view->groups);
    if (r < 0) {
        failure = failure_of_json(r);
        return fail(a, view->file, &failure);
    }
    return screen_finish();
}

/* What one run is about. */
struct job {
    const struct goroutines_arguments *arguments;
    struct order order;
    struct goroutines_view view;
    struct failure failure; /* for the view */
};

/* Whether what came before a failure of the reader counts. */
static bool counts(const struct gotrace *trace, int r)
{
    return gotrace_last_error(trace).code == r && r != -ENOMEM && r != -ENOTSUP;
}

/* 0; 1 after a message if the trace breaks off behind something; a negative errno after one. */
static int read_trace(struct job *job, struct gotrace *trace, struct goroutines *g)
{
    int r = goroutines_run(g, trace);
    bool some = goroutines_result(g).generations > 0;

    if (r == 0 && some)
        return 0;
    job->failure = failure_of_trace(trace, r == 0 ? -ENODATA : r);
    if (r < 0 && some && counts(trace, r)) {
        failure_complain(job->view.file, &job->failure, "; what came before is summed up");
        job->view.failure = &job->failure;
        return 1;
    }
    if (r == -E2BIG && !job->failure.placed)
        (void)strcpy(job->failure.text, "too many Ps to remember");
    return fail(job->arguments, job->view.file, &job->failure);
}

static int sum_up(struct job *job, struct gotrace *trace, struct goroutines *g)
{
    struct goroutines_result result;
    int shown, r = read_trace(job, trace, g);

    if (r < 0)
        return r;
    result = goroutines_result(g);
    job->view.version = gotrace_version(trace);
    job->view.bytes = gotrace_bytes_read(trace);
    if (job->order.groups.reason || job->order.groups.field >= TIMES_UNKNOWN)
        job->view.by = &job->order.groups;
    shown = show(job->arguments, &job->order, &result, &job->view);
    return shown < 0 ? shown : r;
}

static int run_job(struct job *job, int fd)
{
    const char *name = job->arguments->name;
    const struct goroutines_options options = {
        .keep = !name             ? 0
              : job->view.top > 0 ? job->view.top
                                  : WORST_MAX,
        .name = name,
        .order = job->order.list,
    };
    struct goroutines *g = NULL;
    struct gotrace *trace = NULL;
    int r = gotrace_open_mapped(NULL, fd, &trace);

    if (r == 0)
        r = goroutines_new(&options, &g);
    if (r < 0) {
        job->failure = failure_of(r);
        r = fail(job->arguments, job->view.file, &job->failure);
    } else {
        gotrace_spill(trace, tracefile_unnamed, NULL);
        r = sum_up(job, trace, g);
    }
    goroutines_free(g);
    gotrace_close(trace);
    return r;
}

static int goroutines(const char *path, const struct goroutines_arguments *a)
{
    struct job job = {
        .arguments = a,
        .order = read_order(a),
        .view = {.file = path,
                 .name = a->name,
                 .top = a->top || a->json ? a->top : TOP_DEFAULT,
                 .utf8 = screen_utf8()},
    };
    _cleanup_close_ int fd = tracefile_open(path);

    if (fd < 0) {
        job.failure = failure_of(fd);
        return fail(a, path, &job.failure);
    }
    return run_job(&job, fd);
}

static int goroutines_at(const char *path, const struct goroutines_arguments *a)
{
    struct alive_view view = {.file = path,
                              .name = a->name,
                              .at = a->at.time,
                              .top = a->top || a->json ? a->top : TOP_DEFAULT,
                              .json = a->json,
                              .utf8 = screen_utf8()};

    return alive_show(&view);
}

int command_goroutines(int argc, char **argv)
{
    struct goroutines_arguments a = {0};
    const struct argument_group groups[] = {GROUP(rows, &a)};
    int rest, r = arguments_parse(argc, argv, groups, 1, intro, &rest);

    if (r != 0)
        return r < 0 ? STATUS_USAGE : STATUS_OK;
    if (argc - rest != 1) {
        complain("goroutines: %s",
                 rest == argc ? "which file? '-' is standard input" : "one file at a time");
        return STATUS_USAGE;
    }
    if (a.at.given && (a.each || a.sort || a.reverse)) {
        complain("goroutines: --at does not go with --each, --sort and --reverse");
        return STATUS_USAGE;
    }
    if (a.each && !a.name)
        a.name = ""; /* which is part of every name */
    tracefile_may_go_away();
    return command_exit(a.at.given ? goroutines_at(argv[rest], &a) : goroutines(argv[rest], &a));
}
