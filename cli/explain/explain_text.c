/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/explain/explain.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/common/print.h"
#include "cli/common/quantity.h"
#include "cli/read/summary.h"

#define TITLE 10 /* columns */
#define ROOM (EXPLAIN_WIDTH - TITLE)
#define FUNC_MOST 60   /* columns of a function's name, which is cut at its beginning */
#define NEAR_SHARE 0.1 /* of the way: less is not near */
#define FINDING_SCORE 0.5

/* How much is told at most: less, if more does not fit the screen. */
struct extent {
    size_t sites, slowest, since, moves;
};

static const struct extent extents[] = {{3, 2, 3, 5}, {3, 1, 2, 3}, {2, 1, 1, 2}};

#define EXTENTS (sizeof(extents) / sizeof(extents[0]))

/* The text while it is made: lines with a title in front of the first of a part. */
struct sheet {
    FILE *out;
    const struct explanation *e;
    struct extent most;
    const char *title; /* that the next line gets; NULL: it goes on */
    FILE *line;        /* that is being made */
    char *text;
    size_t size;
    bool failed;
};

static void begin(struct sheet *s, const char *title)
{
    s->title = title;
}

static void put_title(struct sheet *s)
{
    (void)fprintf(s->out, "%-*s", TITLE, s->title ? s->title : "");
    s->title = NULL;
}

/* A stream for one line; NULL without memory. */
static FILE *line_open(struct sheet *s)
{
    s->text = NULL;
    s->line = s->failed ? NULL : open_memstream(&s->text, &s->size);
    s->failed |= !s->line;
    return s->line;
}

/* How many bytes the first columns take. */
static size_t bytes_of(const char *text, size_t columns)
{
    size_t n = 0;

    while (text[n] && (print_width(text, n + 1) <= columns || (text[n] & 0xc0) == 0x80))
        n++;
    return n;
}

/* Whether the line fits; if not, it is given up. */
static bool line_fits(struct sheet *s)
{
    if (fflush(s->line) < 0 || print_width(s->text, s->size) <= ROOM)
        return true;
    (void)fclose(s->line);
    free(s->text);
    return false;
}

/* Prints it, cut to the width. */
static void line_close(struct sheet *s)
{
    s->failed |= ferror(s->line) != 0;
    s->failed |= fclose(s->line) != 0 || !s->text; /* fclose may lack memory without a word */
    if (!s->failed) {
        put_title(s);
        (void)fwrite(s->text, 1, bytes_of(s->text, ROOM), s->out);
        (void)fputc('\n', s->out);
    }
    free(s->text);
}

static const char *duration(const struct sheet *s, int64_t ns, char out[static QUANTITY_SIZE])
{
    return quantity_duration(ns, s->e->utf8, out);
}

static struct print_flow flow_of(struct sheet *s, size_t lines)
{
    put_title(s);
    return (struct print_flow){
        .out = s->out, .indent = TITLE, .width = EXPLAIN_WIDTH, .column = TITLE, .most = lines};
}

static const char *record_text(const struct sheet *s, const char *key)
{
    return json_string_value(json_object_get(s->e->subject->record, key));
}

/* The end of a path that is too long for a line; commands have it whole. */
static const char *end_of(const char *path)
{
    size_t n = strlen(path);
    const char *from = n > ROOM ? path + n - ROOM : path, *slash = strchr(from, '/');

    if (n > ROOM && slash && slash[1])
        return slash + 1;
    while ((*from & 0xc0) == 0x80)
        from++;
    return from;
}

static void what(struct sheet *s)
{
    const struct subject *subject = s->e->subject;
    const struct summary *sum = s->e->summary;
    char when[CLOCK_RFC3339_SIZE], text[QUANTITY_SIZE];
    usec start = *subject->name.service ? subject->name.time : (usec)sum->wall_start / 1000;
    FILE *out = line_open(s);

    if (!out)
        return;
    begin(s, "Trace");
    if (*subject->name.service)
        (void)fprintf(out, "%.40s on %.40s, ", subject->name.service, subject->name.host);
    if (start > 0)
        (void)fprintf(out, "%.19sZ, ", clock_rfc3339(start, when));
    (void)fprintf(out, "window %s", duration(s, sum->window, text));
    if (!sum->complete)
        (void)fprintf(out, "; CUT, %s of it are here", quantity_share(sum->covered, text));
    line_close(s);
    out = line_open(s);
    if (!out)
        return;
    print_name(out, end_of(subject->path));
    line_close(s);
}

static void put_trigger(FILE *out, const json_t *trigger)
{
    const json_t *value = json_object_get(trigger, "value");
    const char *unit = json_string_value(json_object_get(trigger, "unit"));

    (void)fputs("the rule ", out);
    (void)print_plain(out, json_string_value(json_object_get(trigger, "rule")), 40);
    if (!json_is_number(value))
        return;
    (void)fprintf(out, " saw %.4g, threshold %.4g", json_number_value(value),
                  json_number_value(json_object_get(trigger, "threshold")));
    if (unit) {
        (void)fputc(' ', out);
        (void)print_plain(out, unit, 20);
    }
}

/* Why it was taken, if not by schedule. */
static void why(struct sheet *s)
{
    const json_t *trigger = json_object_get(s->e->subject->record, "trigger");
    const char *reason = record_text(s, "reason"), *incident = record_text(s, "incident");
    bool ruled = json_string_value(json_object_get(trigger, "rule"));
    FILE *out;

    if (!ruled && !incident && (!reason || strcmp(reason, "schedule") == 0))
        return;
    begin(s, "Taken");
    out = line_open(s);
    if (!out)
        return;
    if (ruled)
        put_trigger(out, trigger);
    else
        (void)print_plain(out, reason ? reason : "-", 60);
    if (incident) {
        (void)fputs("; incident ", out);
        (void)print_plain(out, incident, NAME_KEY_MAX);
    }
    line_close(s);
}

static void near_misses(struct sheet *s)
{
    const struct findings *f = &s->e->findings;
    size_t n = 0;
    FILE *out = line_open(s);

    if (!out)
        return;
    for (; n < f->n_near && f->near[n].score >= NEAR_SHARE * FINDING_SCORE; n++)
        (void)fprintf(out,
                      n == 0 ? "no rule matched; nearest: %s (%.0f%% of the way)" : ", %s (%.0f%%)",
                      f->near[n].code, f->near[n].score / FINDING_SCORE * 100);
    (void)fputs(n == 0 ? "no rule came near" : "", out);
    line_close(s);
}

/* What waits and does not end, though no rule speaks of it. */
static void unended(struct sheet *s)
{
    _cleanup_free_ char *text = NULL;
    struct print_flow flow;

    s->failed |= summary_unended_text(s->e->summary, s->e->utf8, &text) < 0;
    if (text && *text) {
        flow = flow_of(s, 3);
        print_flow_words(&flow, text);
        print_flow_end(&flow);
    }
}

static const struct finding *first(const struct explanation *e)
{
    return e->findings.n > 0 && e->findings.list[0].score > 0 ? &e->findings.list[0] : NULL;
}

static void label(struct sheet *s)
{
    const struct findings *f = &s->e->findings;
    const struct finding *found = f->not_inspected ? NULL : first(s->e);
    struct print_flow flow;
    FILE *out = line_open(s);

    if (!out)
        return;
    begin(s, "Label");
    (void)fputs(f->label, out);
    if (f->not_inspected)
        (void)fprintf(out, " (%s: %s)", f->not_inspected, f->why);
    else if (found)
        (void)fprintf(out, ": %s, score %.2f of 1", summary_strength(found->score), found->score);
    if (found && found->subject) {
        (void)fputs(", \"", out);
        (void)print_plain(out, found->subject, 40);
        (void)fputc('"', out);
    }
    line_close(s);
    if (found) {
        flow = flow_of(s, 2);
        summary_evidence_text(&flow, found, s->e->utf8);
    } else if (!f->not_inspected) {
        near_misses(s);
        unended(s);
    }
}

/* What causes what, and what else was found. */
static void cause(struct sheet *s, const struct finding *f, bool first)
{
    char share[QUANTITY_SIZE];
    FILE *out;

    if (f->because || !first) {
        out = line_open(s);
        if (!out)
            return;
        if (f->because)
            (void)fprintf(out, "%s causes %s", f->because, f->code);
        else
            (void)fprintf(out, "besides: %s", f->code);
        (void)fprintf(out, " (%s", summary_strength(f->score));
        if (f->lost_share > 0 && f->lost_share < 1)
            (void)fprintf(out, "; %s of the time lost", quantity_share(f->lost_share, share));
        (void)fputc(')', out);
        line_close(s);
    }
    out = f->remark[0] && (first || f->because) ? line_open(s) : NULL;
    if (!out)
        return;
    (void)print_plain(out, f->remark, sizeof(f->remark));
    line_close(s);
}

static void causes(struct sheet *s)
{
    const struct findings *f = &s->e->findings;

    begin(s, "Because");
    for (size_t i = 0; i < f->n; i++)
        if (f->list[i].score > 0)
            cause(s, &f->list[i], i == 0);
}

/* A name of which only the end is told if it is long: from behind a '/' on if there is one. */
static void put_func(FILE *out, const char *name)
{
    size_t n = strlen(name);

    if (n > FUNC_MOST) {
        const char *slash = strchr(name + n - FUNC_MOST, '/');

        name = slash ? slash + 1 : name + n - FUNC_MOST;
    }
    (void)print_plain(out, name, FUNC_MOST);
}

/* A file as the stack has it, or only the last two components of its path. */
static void put_file(FILE *out, const char *file, bool brief)
{
    const char *from = file + strlen(file);

    for (unsigned slashes = 0; brief && from > file; from--)
        if (from[-1] == '/' && ++slashes == 2)
            break;
    (void)print_plain(out, brief ? from : file, 1000);
}

/* "lock.go:17  main.(*ledger).post <- sync.(*Mutex).Lock": own code first; what is cut is last. */
static void put_place(FILE *out, const struct summary_own *own, const struct summary_frame *at,
                      bool utf8, bool brief)
{
    bool has_own = own->at.func && *own->at.func;
    const struct summary_frame *f = has_own ? &own->at : at;

    if (!*f->func) {
        (void)fputs("(no stack)", out);
        return;
    }
    put_file(out, f->file, brief);
    (void)fprintf(out, ":%" PRIu64 "  ", f->line);
    put_func(out, f->func);
    if (!has_own || !own->call || !*own->call)
        return;
    (void)fputs(utf8 ? " ← " : " <- ", out);
    put_func(out, place_word(own->call));
}

/* `head` and a place, whose file's path is cut if that does not fit. */
static void place_line(struct sheet *s, const char *head, const struct summary_own *own,
                       const struct summary_frame *at)
{
    for (unsigned brief = 0; brief < 2; brief++) {
        FILE *out = line_open(s);

        if (!out)
            return;
        (void)fputs(head, out);
        put_place(out, own, at, s->e->utf8, brief > 0);
        if (brief > 0 || line_fits(s))
            break;
    }
    line_close(s);
}

static void sites(struct sheet *s)
{
    char head[2 * QUANTITY_SIZE + 8], took[QUANTITY_SIZE], count[QUANTITY_SIZE];

    begin(s, "Where");
    for (size_t i = 0; i < s->e->n_sites && i < s->most.sites; i++) {
        const struct finding_site *site = &s->e->sites[i];

        (void)snprintf(head, sizeof(head), "%s, %sx  ", duration(s, site->total, took),
                       quantity_count(site->count, count));
        place_line(s, head, &site->own, &site->at);
    }
}

static void task(struct sheet *s, const struct summary_outlier *o)
{
    struct print_flow flow;
    char took[QUANTITY_SIZE];
    FILE *out = line_open(s);

    if (!out)
        return;
    (void)fprintf(out, "%s%s  task ", duration(s, o->duration, took), o->open ? ", not over" : "");
    (void)print_plain(out, *o->name ? o->name : "(no name)", 40);
    for (size_t i = 0; o->work && i < SUMMARY_N_IDS; i++) {
        if (!o->work->ids[i])
            continue;
        (void)fputs(", ", out);
        (void)print_plain(out, o->work->ids[i], SUMMARY_ID_SIZE);
        break;
    }
    line_close(s);
    if (!o->work)
        return;
    flow = flow_of(s, 1);
    summary_work_text(&flow, o->work, s->e->utf8);
    print_flow_end(&flow);
}

static void wait_in_request(struct sheet *s, const struct summary_outlier *o)
{
    char head[QUANTITY_SIZE + 32], took[QUANTITY_SIZE];

    (void)snprintf(head, sizeof(head), "%s%s  in a request: ", duration(s, o->duration, took),
                   o->open ? ", not over" : "");
    place_line(s, head, &o->own, &o->site);
}

/* Tasks; without any, the longest waits in requests that are known by their handlers. */
static void slowest(struct sheet *s)
{
    const struct summary_slowest *tasks = &s->e->summary->slowest[SUMMARY_SLOW_TASKS],
                                 *waits = &s->e->summary->slowest[SUMMARY_SLOW_REQUEST];
    size_t told = 0;

    begin(s, "Slowest");
    for (size_t i = 0; i < tasks->n && i < s->most.slowest; i++)
        task(s, &tasks->list[i]);
    for (size_t i = 0; tasks->n == 0 && i < waits->n && told < s->most.slowest; i++) {
        const struct summary_outlier *o = &waits->list[i], *last = i > 0 ? o - 1 : NULL;

        if (last && place_equal(&o->own, &o->site, &last->own, &last->site))
            continue;
        wait_in_request(s, o);
        told++;
    }
}

#define MATTERS 0.1 /* of the window: less is no matter */

/* "CPU pressure 40%" if it matters. */
static void pressure(FILE *out, const char *what, int64_t part, double window)
{
    char share[QUANTITY_SIZE];
    double value = part >= 0 && window > 0 ? (double)part / window : 0;

    if (value >= MATTERS)
        (void)fprintf(out, "%s%s %s", ftell(out) > 0 ? ", " : "", what,
                      quantity_share(fmin(value, 1), share));
}

static void throttled(const struct sheet *s, FILE *out, const struct context *c)
{
    char took[QUANTITY_SIZE];

    if (c->throttled_periods > 0 && context_counts_throttling(c, (double)c->window))
        (void)fprintf(out, "throttled for %s in %" PRId64 " of %" PRId64 " periods",
                      duration(s, c->throttled, took), c->throttled_periods, c->periods);
}

static void host(struct sheet *s)
{
    const struct context *c = s->e->context;
    double window = c ? (double)c->window : 0;
    FILE *out = c ? line_open(s) : NULL;
    long told;

    if (!out)
        return;
    begin(s, "Host");
    throttled(s, out, c);
    pressure(out, "CPU pressure on the host", c->host_cpu.some, window);
    pressure(out, "CPU pressure in the cgroup", c->cgroup_cpu.some, window);
    pressure(out, "memory pressure on the host", c->host_memory.some, window);
    pressure(out, "memory pressure in the cgroup", c->cgroup_memory.some, window);
    pressure(out, "IO pressure on the host", c->host_io.some, window);
    pressure(out, "stolen by the hypervisor", c->cpus > 0 ? c->steal / c->cpus : -1, window);
    told = ftell(out);
    if (told == 0)
        (void)fputs("nothing that matters: not throttled, no pressure", out);
    line_close(s);
}

static void put_value(const struct sheet *s, FILE *out, const struct usual_number *n, double value)
{
    char text[QUANTITY_SIZE];

    switch (n->form) {
    case USUAL_DURATION: (void)fputs(duration(s, quantity_whole(value), text), out); break;
    case USUAL_SHARE: (void)fputs(quantity_share(value, text), out); break;
    case USUAL_BYTES:
        (void)fputs(quantity_bytes((uint64_t)quantity_whole(value), text), out);
        break;
    case USUAL_COUNT: (void)fputs(quantity_mean(value, text), out); break;
    case USUAL_RATE: (void)fprintf(out, "%s/s", quantity_mean(value, text)); break;
    }
}

static void move(struct sheet *s, const struct usual_move *m, const char *then)
{
    FILE *out = line_open(s);

    if (!out)
        return;
    (void)fprintf(out, "%s: %s ", m->number->words, then);
    put_value(s, out, m->number, m->usual);
    (void)fputs(", now ", out);
    put_value(s, out, m->number, m->now);
    line_close(s);
}

/* The recording of what was right before. */
static void before(struct sheet *s)
{
    const struct explanation *e = s->e;
    FILE *out = e->before.known ? line_open(s) : NULL;

    if (!out)
        return;
    begin(s, "Before");
    (void)fprintf(out, "the incident's flight recording: %s, now %s", e->before.label,
                  e->findings.label);
    line_close(s);
    for (size_t i = 0; i < e->n_since && i < s->most.since; i++)
        move(s, &e->since[i], "before");
}

static void usual(struct sheet *s)
{
    const struct explanation *e = s->e;
    const char *one = earlier_host(e->earlier);
    char since[CLOCK_RFC3339_SIZE];
    FILE *out = line_open(s);

    if (!out)
        return;
    begin(s, "Usual");
    if (!e->usual_label) {
        (void)fputs("no earlier records to compare with", out);
        line_close(s);
        return;
    }
    (void)fprintf(out, "of %zu record%s%s%.30s since %.16sZ: %s", e->earlier->n,
                  quantity_plural(e->earlier->n), one ? " of " : " of all hosts", one ? one : "",
                  clock_rfc3339(e->earlier->names[e->earlier->n - 1].time, since), e->usual_label);
    if (e->usual_label_times < e->earlier->n)
        (void)fprintf(out, " (%zu)", e->usual_label_times);
    (void)fprintf(out, ", now %s", e->findings.label);
    line_close(s);
    for (size_t i = 0; i < e->n_moves && i < s->most.moves; i++)
        move(s, &e->moves[i], "usual");
    out = e->n_moves == 0 && !e->findings.not_inspected ? line_open(s) : NULL;
    if (!out)
        return;
    (void)fputs("no number moved far", out);
    line_close(s);
}

/* Commands are whole, for somebody who copies them. */
static void next(struct sheet *s)
{
    begin(s, "Next");
    for (size_t i = 0; i < s->e->steps.n; i++) {
        const struct step *step = &s->e->steps.list[i];
        struct print_flow flow = flow_of(s, 3);
        char number[8];

        (void)snprintf(number, sizeof(number), "%zu.", i + 1);
        (void)print_flow_piece(&flow, number, strlen(number));
        print_flow_words(&flow, step->text);
        if (step->command) {
            (void)fputs(": ", s->out);
            print_name(s->out, step->command);
        }
        print_flow_end(&flow);
    }
}

/* A text that the caller frees, or NULL without memory. */
static char *printed(const struct explanation *e, struct extent most)
{
    static void (*const parts[])(struct sheet *) = {what,    why,  label,  causes, sites,
                                                    slowest, host, before, usual,  next};
    struct sheet s = {.e = e, .most = most};
    char *text = NULL;
    size_t size;

    s.out = open_memstream(&text, &size);
    if (!s.out)
        return NULL;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        parts[i](&s);
    s.failed |= ferror(s.out) != 0;
    s.failed |= fclose(s.out) != 0;
    if (!s.failed)
        return text;
    free(text);
    return NULL;
}

int explain_text(FILE *out, const struct explanation *e)
{
    _cleanup_free_ char *text = NULL;

    for (size_t i = 0; i < EXTENTS; i++) {
        free(text);
        text = printed(e, extents[i]);
        if (!text || print_lines(text) <= EXPLAIN_LINES)
            break;
    }
    if (text)
        (void)fputs(text, out);
    return text ? 0 : -ENOMEM;
}
