/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ask/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/parse.h"
#include "cli/ask/fields.h"
#include "cli/ask/rows.h"
#include "cli/common/quantity.h"

#define INDENT 11
#define PIECE_MAX 600
#define NOTE_MAX 8192 /* bytes of the lines below a target */

#define BOLD "\033[1m"
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

/* The current paragraph: its pieces have commas between them, and lines break between pieces. */
struct page {
    FILE *out;
    const struct status_options *o;
    usec now;
    unsigned column;
};

static void begin(struct page *p, const char *title)
{
    (void)fprintf(p->out, "%s%-*s%s", p->o->colour ? BOLD : "", INDENT, title,
                  p->o->colour ? PLAIN : "");
    p->column = INDENT;
}

static void end(struct page *p)
{
    (void)fputc('\n', p->out);
}

static void piece(struct page *p, const char *colour, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void piece(struct page *p, const char *colour, const char *fmt, ...)
{
    char text[PIECE_MAX];
    unsigned len;
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    len = (unsigned)strlen(text);
    if (p->column > INDENT) {
        bool fits = p->o->width == 0 || p->column + 3 + len <= p->o->width;

        (void)fputs(fits ? ", " : ",\n", p->out);
        if (!fits)
            (void)fprintf(p->out, "%*s", INDENT, "");
        p->column = fits ? p->column + 2 : INDENT;
    }
    (void)fprintf(p->out, "%s%s%s", colour && p->o->colour ? colour : "", text,
                  colour && p->o->colour ? PLAIN : "");
    p->column += len;
}

static const char *age(const struct page *p, usec since, char out[static QUANTITY_AGE_SIZE])
{
    return quantity_age(p->now > since ? p->now - since : 0, out);
}

static void daemon_lines(struct page *p, const struct status *s)
{
    char version[FIELD_SIZE], host[FIELD_SIZE], text[QUANTITY_AGE_SIZE];
    usec start = field_time(s->status, "start");

    begin(p, "contraced");
    piece(p, NULL, "%s on %s", field_text(s->status, "version", version),
          field_text(s->status, "host", host));
    piece(p, NULL, "pid %" PRIu64, field_count(s->status, "pid"));
    if (start)
        piece(p, NULL, "up %s", age(p, start, text));
    piece(p, s->ready ? NULL : RED, "%s", s->ready ? "ready" : "not ready");
    end(p);
    if (s->ready)
        return;
    for (const char *line = s->reasons; *line;) {
        size_t n = strcspn(line, "\n");
        char plain[FIELD_SIZE];

        begin(p, "");
        piece(p, RED, "%s", field_plain(line, n, plain));
        end(p);
        line += n + (line[n] == '\n');
    }
}

static void config_line(struct page *p, const json_t *config)
{
    char file[FIELD_SIZE], text[QUANTITY_AGE_SIZE];
    usec last = field_time(config, "last_reload");

    begin(p, "config");
    piece(p, NULL, "%s", *field_text(config, "file", file) ? file : "the command line");
    if (last && field_bool(config, "last_reload_ok"))
        piece(p, NULL, "loaded %s ago", age(p, last, text));
    else if (last)
        piece(p, RED, "the reload %s ago failed: the one before is in use", age(p, last, text));
    end(p);
}

static void suspended_lines(struct page *p, const json_t *causes)
{
    const json_t *cause;
    size_t i;

    json_array_foreach(causes, i, cause) {
        char name[FIELD_SIZE], why[FIELD_SIZE], text[QUANTITY_AGE_SIZE];
        usec since = field_time(cause, "since");

        begin(p, i == 0 ? "suspended" : "");
        (void)field_text(cause, "text", why);
        piece(p, YELLOW, "by %s%s%s%s%s", field_text(cause, "cause", name), since ? " for " : "",
              since ? age(p, since, text) : "", *why ? ": " : "", why);
        end(p);
    }
}

/* "12 ok, 3 timeout": adds a piece for each count that is not 0. */
static void results(struct page *p, const json_t *by_result)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)by_result, name, value) {
        char plain[FIELD_SIZE], count[QUANTITY_SIZE];

        if (json_integer_value(value) > 0)
            piece(p, NULL, "%s %s", quantity_count((uint64_t)json_integer_value(value), count),
                  field_plain(name, strlen(name), plain));
    }
}

static void last_success(struct page *p, const json_t *o)
{
    char text[QUANTITY_AGE_SIZE];
    usec last = field_time(o, "last_success");

    if (last)
        piece(p, NULL, "last %s ago", age(p, last, text));
}

static void captures_line(struct page *p, const json_t *status)
{
    const json_t *targets = json_object_get(status, "targets");
    const json_t *captures = json_object_get(status, "captures");
    uint64_t total = field_count(targets, "total"), failing = field_count(targets, "failing");

    begin(p, "targets");
    piece(p, NULL, "%" PRIu64, total);
    piece(p, failing ? RED : NULL, "%" PRIu64 " failing", failing);
    end(p);
    begin(p, "captures");
    piece(p, NULL, "%" PRIu64 " in flight", field_count(captures, "in_flight"));
    results(p, json_object_get(captures, "by_result"));
    last_success(p, captures);
    end(p);
}

static void spool_lines(struct page *p, const json_t *spool)
{
    const json_t *archive = json_object_get(spool, "archive");
    const json_t *pending = json_object_get(spool, "pending");
    uint64_t files = field_count(archive, "files") + field_count(pending, "files");
    uint64_t bytes = field_count(archive, "bytes") + field_count(pending, "bytes");
    uint64_t whole = field_count(spool, "total_bytes");
    char path[FIELD_SIZE], a[PARSE_TEXT_SIZE], b[PARSE_TEXT_SIZE], count[QUANTITY_SIZE];
    char text[QUANTITY_AGE_SIZE];
    usec oldest = field_time(spool, "oldest");

    begin(p, "spool");
    piece(p, NULL, "%s", field_text(spool, "path", path));
    piece(p, NULL, "%s trace%s", quantity_count(files, count), quantity_plural(files));
    piece(p, NULL, "%s of %s", format_size(bytes, a),
          format_size(field_count(spool, "max_bytes"), b));
    if (oldest)
        piece(p, NULL, "oldest %s", age(p, oldest, text));
    if (whole > 0)
        piece(p, NULL, "disk %s free of %s", format_size(field_count(spool, "free_bytes"), a),
              format_size(whole, b));
    if (field_bool(spool, "refusing"))
        piece(p, RED, "no room: captures are refused");
    end(p);
}

static void upload_lines(struct page *p, const json_t *upload, const json_t *spool)
{
    const json_t *pending = json_object_get(spool, "pending");
    uint64_t files = field_count(pending, "files"), aside = field_count(spool, "aside_files");
    char to[FIELD_SIZE], breaker[FIELD_SIZE], size[PARSE_TEXT_SIZE], text[QUANTITY_AGE_SIZE];
    usec oldest = field_time(pending, "oldest");

    begin(p, "upload");
    if (!json_is_object(upload)) {
        piece(p, NULL, "off");
        end(p);
        return;
    }
    piece(p, NULL, "%s", field_text(upload, "to", to));
    if (field_bool(upload, "failing"))
        piece(p, RED, "failing (breaker %s)", field_text(upload, "breaker", breaker));
    piece(p, NULL, "%" PRIu64 " waiting%s%s", files, files ? ": " : "",
          files ? format_size(field_count(pending, "bytes"), size) : "");
    if (files > 0 && oldest)
        piece(p, NULL, "oldest %s", age(p, oldest, text));
    if (aside > 0)
        piece(p, YELLOW, "%" PRIu64 " set aside", aside);
    results(p, json_object_get(upload, "by_result"));
    last_success(p, upload);
    end(p);
}

static void inspections_line(struct page *p, const json_t *inspections)
{
    const json_t *counts = json_object_get(inspections, "by_result");

    if (json_object_size(counts) == 0)
        return;
    begin(p, "inspected");
    results(p, counts);
    end(p);
}

enum { STATE, SERVICE, HOST, LAST, NEXT, LABEL, P99, SIZE, TARGET, N_COLUMNS };

static const struct rows_column columns[N_COLUMNS] = {
    [STATE] = {"STATE", 0, false},   [SERVICE] = {"SERVICE", 0, false},
    [HOST] = {"HOST", 3, false},     [LAST] = {"LAST", 0, true},
    [NEXT] = {"NEXT", 4, true},      [LABEL] = {"LABEL", 6, false},
    [P99] = {"P99", 2, true},        [SIZE] = {"SIZE", 1, true},
    [TARGET] = {"TARGET", 5, false},
};

static bool is_quiet(const char *label)
{
    return strcmp(label, "healthy") == 0 || strcmp(label, "idle") == 0 || !*label;
}

struct target_text {
    char state[FIELD_SIZE], service[FIELD_SIZE], host[FIELD_SIZE], label[FIELD_SIZE],
        target[FIELD_SIZE], last[QUANTITY_AGE_SIZE], next[QUANTITY_AGE_SIZE], p99[QUANTITY_SIZE],
        size[PARSE_TEXT_SIZE];
};

static void last_of(const struct page *p, const json_t *last, struct target_text *t)
{
    double p99 = field_number(last, "scheduler_latency_p99_seconds", -1);
    /* When the last try was, unless the row tells the time of the trace that its other columns are
     * about. */
    usec start = field_time(last, json_object_get(last, "captured") ? "captured" : "start");
    uint64_t bytes = field_count(last, "bytes");

    t->last[0] = t->p99[0] = t->size[0] = '\0';
    if (start)
        (void)age(p, start, t->last);
    if (p99 >= 0 && p99 < 1e9)
        (void)quantity_duration((int64_t)(p99 * 1e9 + 0.5), p->o->utf8, t->p99);
    if (bytes > 0)
        (void)format_size(bytes, t->size);
    (void)field_text(last, "label", t->label);
}

/* The current capture's state, else the result of the last one. */
static void state_of(const json_t *target, struct target_text *t)
{
    const json_t *flight = json_object_get(target, "in_flight");

    (void)field_text(json_is_object(flight) ? flight : target, "state", t->state);
}

/* Adds a line if the captures fail: "timeout: nothing came, 3 in a row". `lane` is a target or one
 * of its artifacts, and the line begins with `what`. */
static void add_failing(struct buf *note, const char *what, const json_t *lane)
{
    uint64_t failures = field_count(lane, "failures");
    char state[FIELD_SIZE], why[FIELD_SIZE];

    if (failures == 0)
        return;
    (void)field_text(json_object_get(lane, "last"), "text", why);
    (void)buf_addf(note, "%s%s%s%s%s%s", note->len > 0 ? "\n" : "", what, *what ? ": " : "",
                   field_text(lane, "state", state), *why ? ": " : "", why);
    if (failures > 1)
        (void)buf_addf(note, ", %" PRIu64 " in a row", failures);
}

/* The target itself and its other artifacts that the schedule takes. An older contraced does not tell
 * of those. */
static void add_note(struct buf *note, const json_t *target)
{
    const json_t *artifact;
    char shown[FIELD_SIZE], name[FIELD_SIZE];
    size_t i;

    add_failing(note, "", target);
    (void)field_text(target, "artifact", shown);
    json_array_foreach(json_object_get(target, "artifacts"), i, artifact) {
        if (strcmp(field_text(artifact, "artifact", name), shown) != 0 &&
            !json_is_false(json_object_get(artifact, "scheduled")))
            add_failing(note, name, artifact);
    }
}

static int add_row(const struct page *p, struct rows *rows, const json_t *target, const char *note)
{
    struct target_text t;
    uint64_t failures = field_count(target, "failures");
    usec next = field_time(target, "next");

    last_of(p, json_object_get(target, "last"), &t);
    state_of(target, &t);
    t.next[0] = '\0';
    if (next)
        (void)quantity_age(next > p->now ? next - p->now : 0, t.next);
    return rows_add(rows, &(struct rows_cells){
                              .text = {[STATE] = t.state,
                                       [SERVICE] = field_text(target, "service", t.service),
                                       [HOST] = field_text(target, "host", t.host),
                                       [LAST] = t.last,
                                       [NEXT] = t.next,
                                       [LABEL] = t.label,
                                       [P99] = t.p99,
                                       [SIZE] = t.size,
                                       [TARGET] = field_text(target, "address", t.target)},
                              .colour = {[STATE] = failures > 0 ? RED : NULL,
                                         [LABEL] = is_quiet(t.label) ? NULL : YELLOW},
                              .note = *note ? note : NULL,
                          });
}

static int add_target(const struct page *p, struct rows *rows, const json_t *target)
{
    struct buf note;
    int r;

    buf_init(&note, NOTE_MAX);
    add_note(&note, target);
    r = buf_error(&note) == -ENOMEM ? -ENOMEM : add_row(p, rows, target, buf_str(&note));
    buf_done(&note);
    return r;
}

/* No target matches the options. (A contraced without targets gets another message.) */
static void say_left_out(struct page *p, uint64_t total)
{
    if (total > 0)
        (void)fprintf(p->out,
                      "\nno target of these; without --service, --job and --state there %s %" PRIu64
                      "\n",
                      total == 1 ? "is" : "are", total);
}

static int targets_table(struct page *p, const struct status *s)
{
    size_t shown = json_array_size(s->targets), i;
    const json_t *target;
    struct rows rows;
    int r = 0;

    if (shown == 0) {
        say_left_out(p, field_count(json_object_get(s->status, "targets"), "total"));
        return 0;
    }
    rows_init(&rows, columns, N_COLUMNS);
    json_array_foreach(s->targets, i, target) {
        if (r == 0)
            r = add_target(p, &rows, target);
    }
    if (r == 0) {
        (void)fputc('\n', p->out);
        rows_print(p->out, &rows, p->o->width, p->o->colour);
        if (s->total > shown)
            (void)fprintf(p->out,
                          "and %" PRIu64 " more: --service, --job, --state or --limit show %s\n",
                          s->total - shown, s->total - shown == 1 ? "it" : "them");
    }
    rows_done(&rows);
    return r;
}

int status_print(FILE *out, const struct status *s, const struct status_options *o)
{
    const json_t *spool = json_object_get(s->status, "spool");
    usec now = field_time(s->status, "now");
    struct page p = {.out = out, .o = o, .now = now ? now : o->now};

    daemon_lines(&p, s);
    config_line(&p, json_object_get(s->status, "config"));
    suspended_lines(&p, json_object_get(json_object_get(s->status, "suspended"), "causes"));
    captures_line(&p, s->status);
    spool_lines(&p, spool);
    upload_lines(&p, json_object_get(s->status, "upload"), spool);
    inspections_line(&p, json_object_get(s->status, "inspections"));
    return targets_table(&p, s);
}
