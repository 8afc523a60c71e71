/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/schedtrace/schedlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/schedtrace/envelope.h"
#include "trace/schedtrace/loglines.h"

struct schedlog {
    struct loglines lines;
    struct envelope envelope;
    struct schedline line;
    struct processes *processes;
    struct schedlog_counts counts;
};

int schedlog_new(processes_fn on_snapshot, void *userdata, struct schedlog **ret)
{
    struct schedlog *log = calloc(1, sizeof(*log));
    int r = log ? processes_new(on_snapshot, userdata, &log->processes) : -ENOMEM;

    if (r < 0) {
        free(log);
        return r;
    }
    loglines_init(&log->lines);
    envelope_init(&log->envelope);
    *ret = log;
    return 0;
}

void schedlog_free(struct schedlog *log)
{
    if (!log)
        return;
    processes_free(log->processes);
    envelope_done(&log->envelope);
    loglines_done(&log->lines);
    free(log);
}

static void count(struct schedlog *log, enum schedline_kind kind)
{
    struct schedlog_counts *c = &log->counts;

    switch (kind) {
    case SCHEDLINE_SCHED: c->heads++; break;
    case SCHEDLINE_GC: c->cycles++; break;
    case SCHEDLINE_TORN: c->torn++; break;
    case SCHEDLINE_NONE: break;
    default: c->details++; break;
    }
}

/* Whether what stands before a line of the runtime was put there by whoever keeps the log. What the
 * program itself printed before, without an end of the line, touches it. */
static bool is_prefix(const char *text, size_t n)
{
    return n > 0 && strchr(" \t:|]>=\"", text[n - 1]) != NULL;
}

static int on_line(void *userdata, const struct logline *line)
{
    struct schedlog *log = userdata;
    struct envelope_message message;
    int r = envelope_open(&log->envelope, line, &message);

    log->counts.binary += memchr(line->text, '\0', line->n) != NULL;
    if (r <= 0)
        return r;
    schedline_read(message.text, message.n, &log->line);
    count(log, log->line.kind);
    if (log->line.kind == SCHEDLINE_NONE || log->line.kind == SCHEDLINE_TORN)
        return 0;
    if (is_prefix(message.text, log->line.at))
        envelope_prefix(message.text, log->line.at, message.source);
    return processes_add(log->processes, &log->line, message.text, message.source, message.number);
}

int schedlog_feed(struct schedlog *log, const char *data, size_t n)
{
    return loglines_feed(&log->lines, data, n, on_line, log);
}

void schedlog_settle(struct schedlog *log)
{
    processes_settle(log->processes);
}

int schedlog_finish(struct schedlog *log)
{
    int r = loglines_finish(&log->lines, on_line, log);

    processes_settle(log->processes);
    return r;
}

const struct processes *schedlog_processes(const struct schedlog *log)
{
    return log->processes;
}

struct schedlog_counts schedlog_counts(const struct schedlog *log)
{
    struct schedlog_counts c = log->counts;

    c.lines = log->lines.number;
    c.cut = log->lines.cut;
    return c;
}
