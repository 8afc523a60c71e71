/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/find/columns.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonwriter.h"
#include "base/parse.h"
#include "cli/common/quantity.h"

#define CELL_SIZE (NAME_KEY_MAX + 1)
#define TEXT_WIDTH_MAX 32 /* of what a record says */
#define GAP 2
/* Enough for a record of which every byte is escaped. */
#define ENTRY_JSON_MAX (8 * FACTS_RECORD_MAX)

struct cell {
    char text[CELL_SIZE];
};

static char plain(char c)
{
    if (c == ' ')
        return '_';
    return c > ' ' && c <= '~' ? c : '?';
}

/* A record may contain anything: only printable characters without blanks are written, so that a
 * terminal is safe and scripts can split lines into words. */
static void put_text(struct cell *cell, const char *text)
{
    size_t n = 0;

    for (; text && text[n] && n < TEXT_WIDTH_MAX; n++)
        cell->text[n] = plain(text[n]);
    cell->text[n] = '\0';
    if (n == 0)
        strcpy(cell->text, "-");
}

static void age_cell(const struct entry *e, usec now, struct cell *cell)
{
    char age[QUANTITY_AGE_SIZE];

    put_text(cell, quantity_age(now > e->name.time ? now - e->name.time : 0, age));
}

static void time_cell(const struct entry *e, usec now, struct cell *cell)
{
    char text[CLOCK_RFC3339_SIZE];

    (void)now;
    (void)snprintf(cell->text, sizeof(cell->text), "%.19sZ", clock_rfc3339(e->name.time, text));
}

static void service_cell(const struct entry *e, usec now, struct cell *cell)
{
    (void)now;
    (void)snprintf(cell->text, sizeof(cell->text), "%s", e->name.service);
}

static void host_cell(const struct entry *e, usec now, struct cell *cell)
{
    (void)now;
    (void)snprintf(cell->text, sizeof(cell->text), "%s", e->name.host);
}

static void pid_cell(const struct entry *e, usec now, struct cell *cell)
{
    (void)now;
    if (e->name.pid)
        (void)snprintf(cell->text, sizeof(cell->text), "%" PRIu32, e->name.pid);
    else
        put_text(cell, NULL);
}

static void artifact_cell(const struct entry *e, usec now, struct cell *cell)
{
    (void)now;
    put_text(cell, kind_name(e->name.kind));
}

static void reason_cell(const struct entry *e, usec now, struct cell *cell)
{
    (void)now;
    put_text(cell, e->facts ? e->facts->reason : NULL);
}

static void seconds_cell(const struct entry *e, usec now, struct cell *cell)
{
    (void)now;
    if (e->facts && e->facts->seconds > 0 && e->facts->seconds < 1e6)
        (void)snprintf(cell->text, sizeof(cell->text), "%.3gs", e->facts->seconds);
    else
        put_text(cell, NULL);
}

static void go_cell(const struct entry *e, usec now, struct cell *cell)
{
    (void)now;
    put_text(cell, e->facts ? e->facts->go_version : NULL);
}

static const char *incident_of(const struct entry *e)
{
    return e->facts && e->facts->incident && name_is_stem(e->facts->incident) ? e->facts->incident
                                                                              : NULL;
}

/* The time of day at which it began, as it stands in the key of its first artifact. */
static void incident_cell(const struct entry *e, usec now, struct cell *cell)
{
    const char *id = incident_of(e);

    (void)now;
    if (id)
        (void)snprintf(cell->text, sizeof(cell->text), "%.6s", strrchr(id, '/') + 1);
    else
        put_text(cell, NULL);
}

static void incident_id_cell(const struct entry *e, usec now, struct cell *cell)
{
    const char *id = incident_of(e);

    (void)now;
    (void)snprintf(cell->text, sizeof(cell->text), "%s", id ? id : "-");
}

static void size_cell(const struct entry *e, usec now, struct cell *cell)
{
    char text[PARSE_TEXT_SIZE];

    (void)now;
    (void)snprintf(cell->text, sizeof(cell->text), "%s", format_size(e->size, text));
}

static void where_cell(const struct entry *e, usec now, struct cell *cell)
{
    char text[WHERE_TEXT_SIZE];

    (void)now;
    (void)snprintf(cell->text, sizeof(cell->text), "%s", where_text(e->where, text));
}

static const char *state_of(const struct entry *e)
{
    if (!e->facts || !e->facts->has_complete)
        return "-";
    if (e->facts->complete)
        return "complete";
    return e->facts->truncated_by && strcmp(e->facts->truncated_by, "short") == 0 ? "short"
                                                                                  : "truncated";
}

static void state_cell(const struct entry *e, usec now, struct cell *cell)
{
    (void)now;
    (void)snprintf(cell->text, sizeof(cell->text), "%s", state_of(e));
}

static void label_cell(const struct entry *e, usec now, struct cell *cell)
{
    (void)now;
    put_text(cell, e->facts ? e->facts->label : NULL);
    if (e->facts && e->facts->label && e->facts->has_covered && e->facts->covered >= 0 &&
        e->facts->covered < 1) {
        size_t n = strlen(cell->text);

        (void)snprintf(cell->text + n, sizeof(cell->text) - n, "(%d%%)",
                       (int)(e->facts->covered * 100));
    }
}

static void key_cell(const struct entry *e, usec now, struct cell *cell)
{
    (void)now;
    (void)snprintf(cell->text, sizeof(cell->text), "%s", e->key);
}

/* `gives_way`: on a narrow terminal the column with the lowest number is left out first; 0:
 * never. */
static const struct column {
    const char *title;
    void (*cell)(const struct entry *e, usec now, struct cell *cell);
    unsigned gives_way;
    bool right;
    enum { ALWAYS, LONG, SHORT } when; /* with --long only, or without it */
} columns[] = {
    {"AGE", age_cell, 0, true, ALWAYS},
    {"TIME", time_cell, 3, false, LONG},
    {"SERVICE", service_cell, 4, false, ALWAYS},
    {"HOST", host_cell, 5, false, ALWAYS},
    {"PID", pid_cell, 2, true, ALWAYS},
    {"ARTIFACT", artifact_cell, 1, false, ALWAYS},
    {"REASON", reason_cell, 10, false, ALWAYS},
    {"SECONDS", seconds_cell, 7, true, LONG},
    {"GO", go_cell, 6, false, LONG},
    {"SIZE", size_cell, 11, true, ALWAYS},
    {"WHERE", where_cell, 9, false, ALWAYS},
    {"STATE", state_cell, 8, false, ALWAYS},
    {"LABEL", label_cell, 12, false, ALWAYS},
    {"INC", incident_cell, 13, false, SHORT},
    {"INCIDENT", incident_id_cell, 1, false, LONG},
    {"KEY", key_cell, 0, false, ALWAYS},
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

struct layout {
    unsigned width[N_COLUMNS]; /* 0: not shown */
};

static bool only_traces(const struct catalog *c)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->items[i].name.kind != KIND_TRACE)
            return false;
    }
    return true;
}

static bool no_incidents(const struct catalog *c)
{
    for (size_t i = 0; i < c->n; i++) {
        if (incident_of(&c->items[i]))
            return false;
    }
    return true;
}

/* Whether a column would say the same of each. */
static bool says_nothing(const struct catalog *c, const struct column *column, bool full)
{
    if (column->cell == artifact_cell)
        return !full && only_traces(c);
    return column->cell == incident_cell && no_incidents(c);
}

static void measure(const struct catalog *c, const struct columns_options *o, struct layout *l)
{
    struct cell cell;

    for (size_t k = 0; k < N_COLUMNS; k++) {
        if (columns[k].when == (o->full ? SHORT : LONG) || says_nothing(c, &columns[k], o->full))
            continue;
        l->width[k] = (unsigned)strlen(columns[k].title);
        for (size_t i = 0; i < c->n; i++) {
            unsigned n;

            columns[k].cell(&c->items[i], o->now, &cell);
            n = (unsigned)strlen(cell.text);
            l->width[k] = n > l->width[k] ? n : l->width[k];
        }
    }
}

static unsigned total(const struct layout *l)
{
    unsigned sum = 0;

    for (size_t k = 0; k < N_COLUMNS; k++)
        sum += l->width[k] ? l->width[k] + (sum > 0 ? GAP : 0) : 0;
    return sum;
}

/* Leaves out columns until the line fits; the key stays whole. */
static void fit(struct layout *l, unsigned width)
{
    for (unsigned rank = 1; width > 0 && rank <= N_COLUMNS && total(l) > width; rank++) {
        for (size_t k = 0; k < N_COLUMNS; k++) {
            if (columns[k].gives_way == rank)
                l->width[k] = 0;
        }
    }
}

static void print_cell(FILE *out, const struct layout *l, size_t k, const char *text,
                       const char *colour)
{
    bool last = k + 1 == N_COLUMNS;
    int pad = last ? 0 : (int)l->width[k] - (int)strlen(text);

    (void)fprintf(out, "%*s%s%s%s%*s", columns[k].right ? pad : 0, "", colour ? colour : "", text,
                  colour ? "\033[0m" : "", last ? 0 : (columns[k].right ? 0 : pad) + GAP, "");
}

static const char *colour_of(const struct entry *e, size_t k)
{
    return columns[k].cell == state_cell && e->facts && e->facts->has_complete &&
                   !e->facts->complete
             ? "\033[33m"
             : NULL;
}

void columns_print(FILE *out, const struct catalog *c, const struct columns_options *o)
{
    struct layout l = {0};
    struct cell cell;

    measure(c, o, &l);
    fit(&l, o->width);
    for (size_t k = 0; k < N_COLUMNS; k++) {
        if (l.width[k])
            print_cell(out, &l, k, columns[k].title, o->colour ? "\033[1m" : NULL);
    }
    (void)fputc('\n', out);
    for (size_t i = 0; i < c->n; i++) {
        for (size_t k = 0; k < N_COLUMNS; k++) {
            if (!l.width[k])
                continue;
            columns[k].cell(&c->items[i], o->now, &cell);
            print_cell(out, &l, k, cell.text, o->colour ? colour_of(&c->items[i], k) : NULL);
        }
        (void)fputc('\n', out);
    }
}

static void put_where(struct jsonwriter *w, unsigned where)
{
    jsonwriter_array(w, "where");
    if (where & WHERE_PENDING)
        jsonwriter_text(w, NULL, "pending");
    if (where & WHERE_ARCHIVE)
        jsonwriter_text(w, NULL, "archive");
    if (where & WHERE_REMOTE)
        jsonwriter_text(w, NULL, "remote");
    jsonwriter_end(w);
}

static void put_known(struct jsonwriter *w, const char *key, const char *text)
{
    if (text)
        jsonwriter_text(w, key, text);
}

static void put_facts(struct jsonwriter *w, const struct facts *f)
{
    put_known(w, "reason", f->reason);
    put_known(w, "incident", f->incident);
    if (f->seconds > 0)
        jsonwriter_real(w, "seconds", f->seconds);
    if (f->requested_seconds > 0)
        jsonwriter_real(w, "requested_seconds", f->requested_seconds);
    if (f->has_complete)
        jsonwriter_bool(w, "complete", f->complete);
    put_known(w, "truncated_by", f->truncated_by);
    put_known(w, "label", f->label);
    if (f->has_covered)
        jsonwriter_real(w, "covered", f->covered);
    if (f->has_samples)
        jsonwriter_count(w, "samples", f->samples);
    put_known(w, "go_version", f->go_version);
    put_known(w, "sha256", f->sha256);
}

static int entry_json(const struct entry *e, struct buf *out)
{
    char time[CLOCK_RFC3339_SIZE];
    struct jsonwriter w;

    jsonwriter_init(&w, out, (struct jsonwriter_style){.digits = 15, .ascii = true});
    jsonwriter_object(&w, NULL);
    jsonwriter_text(&w, "key", e->key);
    jsonwriter_text(&w, "service", e->name.service);
    jsonwriter_text(&w, "host", e->name.host);
    if (e->name.pid)
        jsonwriter_integer(&w, "pid", e->name.pid);
    jsonwriter_text(&w, "artifact", kind_name(e->name.kind));
    jsonwriter_text(&w, "time", clock_rfc3339(e->name.time, time));
    jsonwriter_count(&w, "size", e->size);
    put_where(&w, e->where);
    if (e->facts)
        put_facts(&w, e->facts);
    jsonwriter_end(&w);
    return jsonwriter_finish(&w);
}

int columns_print_json(FILE *out, const struct catalog *c)
{
    struct buf line;
    int r = 0;

    buf_init(&line, ENTRY_JSON_MAX);
    for (size_t i = 0; i < c->n && r == 0; i++) {
        buf_clear(&line);
        r = entry_json(&c->items[i], &line);
        if (r == 0)
            (void)fprintf(out, "%s\n", buf_str(&line));
    }
    buf_done(&line);
    return r;
}
