/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sched/shown.h"

#include <errno.h>
#include <string.h>

#include "cli/common/arguments.h"
#include "cli/common/command.h"
#include "cli/common/quantity.h"
#include "cli/common/screen.h"
#include "cli/sched/live.h"
#include "cli/sched/logfile.h"

#define PIECE 65536
#define ROWS_DEFAULT 50

struct schedtrace_arguments {
    bool json, follow, all;
    unsigned rows;
};

#define FIELD(field) offsetof(struct schedtrace_arguments, field)

static const struct argument rows[] = {
    {"rows", 'n', "N", "show the last N snapshots of each process (50)", argument_count,
     FIELD(rows)},
    {"all", 'a', NULL, "show all", argument_flag, FIELD(all)},
    {"follow", 'f', NULL,
     "go on as the log grows, with a row for each snapshot, and say what is found when it shows; "
     "Ctrl-C sums up",
     argument_flag, FIELD(follow)},
    {"json", 0, NULL, "one JSON object; with --follow one a line", argument_flag, FIELD(json)},
};

static const char intro[] =
    "Usage: contrace schedtrace [OPTIONS] [FILE]\n"
    "       GODEBUG=schedtrace=1000,gctrace=1 ./program 2>&1 | contrace schedtrace -f\n"
    "Reads what Go's runtime prints with GODEBUG=schedtrace, scheddetail and gctrace out of any log, "
    "from standard input by itself or for '-': a table over time, and which of five patterns it "
    "shows: threads that are missing, a syscall storm, a saturated network poller, a stalling "
    "collector, a stuck P. Logs of CRI, Docker and 'journalctl -o json' are understood, and several "
    "processes told apart.";

/* What one run is about. */
struct job {
    struct schedtrace_arguments arguments;
    struct schedtrace_view view;
    struct logfile file;
    struct schedlog *log;
    struct live live;
    char head[8]; /* the first bytes */
    size_t n_head;
    char error[256];
};

static void on_snapshot(void *userdata, const struct process *p, const struct snapshot *s)
{
    struct job *job = userdata;

    live_snapshot(&job->live, p, s);
}

static void remember_head(struct job *job, const char *data, size_t n)
{
    while (job->n_head < sizeof(job->head) && n > 0) {
        job->head[job->n_head++] = *data++;
        n--;
    }
}

/* To the end. 0; -EINTR; or what is wrong. */
static int read_log(struct job *job)
{
    char data[PIECE];

    for (;;) {
        ssize_t n = logfile_read(&job->file, data, sizeof(data));
        int r = 0;

        if (n == -ENODATA || n == -EINTR)
            return schedlog_finish(job->log);
        if (n < 0)
            return (int)n;
        remember_head(job, data, (size_t)n);
        if (n == 0)
            schedlog_settle(job->log);
        else
            r = schedlog_feed(job->log, data, (size_t)n);
        if (r == 0)
            r = live_error(&job->live);
        if (r < 0)
            return r;
    }
}

static bool begins(const struct job *job, const char *with)
{
    size_t n = strlen(with);

    return job->n_head >= n && memcmp(job->head, with, n) == 0;
}

/* Why nothing of the runtime is in the log, and what to do. */
static void explain_nothing(struct job *job)
{
    struct schedlog_counts c = schedlog_counts(job->log);
    char lines[QUANTITY_SIZE];
    const char *hint =
        "run the program with GODEBUG=schedtrace=1000,gctrace=1, and give its standard "
        "error";

    if (begins(job, "\x1f\x8b"))
        hint = "it is compressed: zcat FILE | contrace schedtrace";
    else if (begins(job, "go 1."))
        hint = "it is an execution trace: contrace summary FILE";
    else if (c.torn > 0)
        hint = "what looks like them is torn: something else was printed into each";
    else if (c.binary > 0)
        hint = "it is no text";
    (void)snprintf(job->error, sizeof(job->error),
                   "no line of GODEBUG=schedtrace or gctrace in %s line%s; %s",
                   quantity_count(c.lines, lines), quantity_plural(c.lines), hint);
}

static int show_json(struct job *job)
{
    struct buf json;
    int r;

    buf_init(&json, SCHEDTRACE_JSON_MAX);
    r = schedtrace_json(job->log, &job->view, &json);
    if (r == 0)
        (void)fwrite(json.data, 1, json.len, stdout);
    buf_done(&json);
    if (r == -E2BIG)
        complain("schedtrace: the JSON would be larger than %zu MiB; ask for fewer rows, with -n",
                 SCHEDTRACE_JSON_MAX >> 20);
    return r == -ENOMEM ? complain_memory() : r;
}

static int show(struct job *job)
{
    if (job->arguments.json)
        return show_json(job);
    if (job->arguments.follow)
        live_end(&job->live, job->log);
    else if (!job->error[0] || processes_count(schedlog_processes(job->log)) > 0)
        schedtrace_text(stdout, job->log, &job->view);
    return 0;
}

/* Says what is wrong, after what came before it is shown. */
static int conclude(struct job *job, int r)
{
    const char *file = strcmp(job->file.path, "-") == 0 ? "standard input" : job->file.path;
    int shown;

    if (ferror(stdout)) /* nothing more can be shown */
        return screen_finish() < 0 ? -EIO : 0;
    if (r < 0)
        (void)snprintf(job->error, sizeof(job->error), "cannot read it: %s", strerror(-r));
    else if (processes_count(schedlog_processes(job->log)) == 0)
        explain_nothing(job);
    job->view.error = job->error[0] ? job->error : NULL;
    shown = show(job);
    if (screen_finish() < 0)
        return -EPIPE;
    if (job->error[0])
        complain("%s: %s", file, job->error);
    if (shown < 0)
        return shown;
    return job->error[0] ? -EIO : 0;
}

static int run(struct job *job, const char *path)
{
    int r = logfile_open(&job->file, path, job->arguments.follow);

    if (r < 0) {
        complain("%s: cannot read it: %s", path, strerror(-r));
        logfile_close(&job->file);
        return -EIO;
    }
    r = schedlog_new(job->arguments.follow ? on_snapshot : NULL, job, &job->log);
    if (r < 0) {
        logfile_close(&job->file);
        return complain_memory();
    }
    r = conclude(job, read_log(job));
    schedlog_free(job->log);
    logfile_close(&job->file);
    return r;
}

int command_schedtrace(int argc, char **argv)
{
    struct job job = {0};
    const struct argument_group groups[] = {GROUP(rows, &job.arguments)};
    int rest, r = arguments_parse(argc, argv, groups, 1, intro, &rest);
    const char *path;

    if (r != 0)
        return r < 0 ? STATUS_USAGE : STATUS_OK;
    if (argc - rest > 1 || (job.arguments.rows > 0 && job.arguments.all)) {
        complain("schedtrace: %s",
                 argc - rest > 1 ? "one file at a time" : "either --rows or --all");
        return STATUS_USAGE;
    }
    path = rest < argc ? argv[rest] : "-";
    if (job.arguments.rows == 0 && !job.arguments.all && !job.arguments.json)
        job.arguments.rows = ROWS_DEFAULT;
    job.view =
        (struct schedtrace_view){.file = path, .rows = job.arguments.rows, .utf8 = screen_utf8()};
    job.live = (struct live){.json = job.arguments.json, .utf8 = job.view.utf8};
    return command_exit(run(&job, path));
}
