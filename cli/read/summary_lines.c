/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"
#include "cli/common/print.h"
#include "cli/common/quantity.h"
#include "cli/read/summary.h"

enum form { DURATION, COUNT, SHARE };

/* The columns, which one may sort by. The largest value is the worst, unless the row says
 * otherwise. */
static const struct column {
    const char *name;
    const char *path;
    enum form form;
    bool less_is_worse;
} columns[] = {
    {"window", "window_ns", DURATION, false},
    {"procs", "procs.gomaxprocs.max", COUNT, false},
    {"busy", "procs.executing_share", SHARE, false},
    {"p99", "scheduler.latency.p99_ns", DURATION, false},
    {"latmax", "scheduler.latency.max_ns", DURATION, false},
    {"goroutines", "goroutines.max_alive", COUNT, false},
    {"stw", "gc.stw.max_ns", DURATION, false},
    {"mmu10", "gc.mutator.mmu_10ms", SHARE, true},
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))
#define LABEL_WIDTH 19

struct summary_line {
    char *name;
    char label[LABEL_WIDTH + 1];
    bool complete;
    double values[N_COLUMNS];
    double key;
    size_t at; /* as they were added */
};

const char *summary_lines_path(const char *field)
{
    for (size_t i = 0; i < N_COLUMNS; i++) {
        if (strcasecmp(field, columns[i].name) == 0)
            return columns[i].path;
    }
    return field;
}

static int read_line(const json_t *json, const char *path, struct summary_line *line)
{
    const char *label = json_string_value(json_object_get(json, "label"));

    /* A number that one trace is too short for does not make the others unsortable. */
    if (path && summary_number(json, path, &line->key) == -ENOENT && strncmp(path, "gc.mu", 5) != 0)
        return -ENOENT;
    line->name = strdup(json_string_value(json_object_get(json, "file")));
    if (!line->name)
        return -ENOMEM;
    line->complete = json_is_true(json_object_get(json, "complete"));
    (void)snprintf(line->label, sizeof(line->label), "%s", label ? label : "");
    for (size_t i = 0; i < N_COLUMNS; i++) {
        line->values[i] = -1;
        (void)summary_number(json, columns[i].path, &line->values[i]);
    }
    return 0;
}

int summary_lines_add(struct summary_lines *lines, const struct buf *text, const char *path)
{
    struct summary_line *line;
    json_t *json;
    int r;

    if (lines->n == lines->cap) {
        size_t cap = lines->cap ? 2 * lines->cap : 16;
        struct summary_line *list = realloc(lines->list, cap * sizeof(*list));

        if (!list)
            return -ENOMEM;
        lines->list = list;
        lines->cap = cap;
    }
    line = &lines->list[lines->n];
    memset(line, 0, sizeof(*line));
    r = jsontext_parse(buf_str(text), text->len, 0, NULL, &json);
    if (r < 0)
        return r;
    r = read_line(json, path, line);
    json_decref(json);
    if (r == 0)
        line->at = lines->n++;
    return r;
}

static int by_key(const void *a, const void *b)
{
    const struct summary_line *x = a, *y = b;

    if (x->key < y->key || x->key > y->key)
        return x->key > y->key ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

static bool less_is_worse(const char *path)
{
    for (size_t i = 0; path && i < N_COLUMNS; i++) {
        if (strcmp(path, columns[i].path) == 0)
            return columns[i].less_is_worse;
    }
    return path && (strncmp(path, "gc.mutator", 10) == 0 || strstr(path, "complete") ||
                    strcmp(path, "covered") == 0);
}

static void cell(FILE *out, double value, enum form form, bool utf8)
{
    char text[QUANTITY_SIZE];

    if (value < 0)
        (void)strcpy(text, "-");
    else if (form == DURATION)
        (void)quantity_duration(quantity_whole(value), utf8, text);
    else if (form == COUNT)
        (void)quantity_count((uint64_t)quantity_whole(value), text);
    else
        (void)quantity_share(value, text);
    print_cell(out, text, 8);
    (void)fputs("  ", out);
}

static void print(FILE *out, const struct summary_line *line, bool labels, bool utf8)
{
    if (labels)
        (void)fprintf(out, "%-*s  ", LABEL_WIDTH, line->label);
    for (size_t i = 0; i < N_COLUMNS; i++)
        cell(out, line->values[i], columns[i].form, utf8);
    print_name(out, line->name);
    (void)fputs(line->complete ? "\n" : " (cut)\n", out);
}

void summary_lines_print(FILE *out, struct summary_lines *lines, const char *path, bool reverse,
                         const struct summary_view *view)
{
    bool labels = false, ascending = reverse != less_is_worse(path);

    if (path && lines->n > 1)
        qsort(lines->list, lines->n, sizeof(*lines->list), by_key);
    for (size_t i = 0; i < lines->n; i++)
        labels |= lines->list[i].label[0] != '\0';
    if (lines->n == 0)
        return;
    if (labels)
        (void)fprintf(out, "%-*s  ", LABEL_WIDTH, "LABEL");
    (void)fputs("  WINDOW     PROCS      BUSY       P99    LATMAX  GOROUTINES     STW     MMU10  "
                "FILE\n",
                out);
    for (size_t i = 0; i < lines->n; i++)
        print(out, &lines->list[ascending ? lines->n - 1 - i : i], labels, view->utf8);
}

void summary_lines_done(struct summary_lines *lines)
{
    for (size_t i = 0; i < lines->n; i++)
        free(lines->list[i].name);
    free(lines->list);
}
