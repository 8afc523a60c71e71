/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ask/rows.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/common/print.h"

#define GAP 2
#define NOTE_INDENT 4
#define NOTHING "-"

struct rows_row {
    char *text[ROWS_COLUMNS_MAX];
    const char *colour[ROWS_COLUMNS_MAX];
    char *note;
};

void rows_init(struct rows *r, const struct rows_column *columns, size_t n)
{
    *r = (struct rows){.columns = columns, .n_columns = n};
}

static void row_done(const struct rows *r, struct rows_row *row)
{
    for (size_t k = 0; k < r->n_columns; k++)
        free(row->text[k]);
    free(row->note);
}

void rows_done(struct rows *r)
{
    for (size_t i = 0; i < r->n; i++)
        row_done(r, &r->items[i]);
    free(r->items);
    r->items = NULL;
    r->n = 0;
}

int rows_add(struct rows *r, const struct rows_cells *cells)
{
    struct rows_row *items = reallocarray(r->items, r->n + 1, sizeof(*items));
    struct rows_row row = {0};
    bool whole = true;

    if (!items)
        return -ENOMEM;
    r->items = items;
    for (size_t k = 0; k < r->n_columns; k++) {
        const char *text = cells->text[k];

        row.colour[k] = cells->colour[k];
        row.text[k] = strdup(text && *text ? text : NOTHING);
        whole = whole && row.text[k];
    }
    row.note = cells->note ? strdup(cells->note) : NULL;
    if (!whole || (cells->note && !row.note)) {
        row_done(r, &row);
        return -ENOMEM;
    }
    items[r->n++] = row;
    return 0;
}

struct layout {
    unsigned width[ROWS_COLUMNS_MAX]; /* 0: not shown */
};

static unsigned letters(const char *text)
{
    return (unsigned)print_width(text, strlen(text));
}

static void measure(const struct rows *r, struct layout *l)
{
    for (size_t k = 0; k < r->n_columns; k++) {
        l->width[k] = letters(r->columns[k].title);
        for (size_t i = 0; i < r->n; i++) {
            unsigned n = letters(r->items[i].text[k]);

            l->width[k] = n > l->width[k] ? n : l->width[k];
        }
    }
}

static unsigned total(const struct rows *r, const struct layout *l)
{
    unsigned sum = 0;

    for (size_t k = 0; k < r->n_columns; k++)
        sum += l->width[k] ? l->width[k] + (sum > 0 ? GAP : 0) : 0;
    return sum;
}

static void fit(const struct rows *r, struct layout *l, unsigned width)
{
    for (unsigned rank = 1; width > 0 && rank <= r->n_columns && total(r, l) > width; rank++) {
        for (size_t k = 0; k < r->n_columns; k++) {
            if (r->columns[k].gives_way == rank)
                l->width[k] = 0;
        }
    }
}

/* `last`: nothing follows, not even blanks. */
static void put_cell(FILE *out, const struct rows_column *column, unsigned width, const char *text,
                     const char *colour, bool last)
{
    int pad = (int)width - (int)letters(text);

    (void)fprintf(out, "%*s%s%s%s%*s", column->right ? pad : 0, "", colour ? colour : "", text,
                  colour ? "\033[0m" : "", last ? 0 : (column->right ? 0 : pad) + GAP, "");
}

static void print_line(FILE *out, const struct rows *r, const struct layout *l, char *const *texts,
                       const char *const *colours, const char *colour)
{
    size_t last = 0;

    for (size_t k = 0; k < r->n_columns; k++)
        last = l->width[k] ? k : last;
    for (size_t k = 0; k < r->n_columns; k++) {
        if (l->width[k])
            put_cell(out, &r->columns[k], l->width[k], texts ? texts[k] : r->columns[k].title,
                     colours ? colours[k] : colour, k == last);
    }
    (void)fputc('\n', out);
}

static void print_note(FILE *out, const char *note, unsigned width)
{
    struct print_flow flow = {
        .out = out, .indent = NOTE_INDENT, .width = width > NOTE_INDENT ? width : SIZE_MAX};

    while (*note) {
        size_t n = strcspn(note, " \n");

        (void)print_flow_piece(&flow, note, n);
        note += n;
        if (*note == '\n')
            print_flow_end(&flow);
        note += *note != '\0';
    }
    print_flow_end(&flow);
}

void rows_print(FILE *out, const struct rows *r, unsigned width, bool colour)
{
    struct layout l = {0};

    measure(r, &l);
    fit(r, &l, width);
    print_line(out, r, &l, NULL, NULL, colour ? "\033[1m" : NULL);
    for (size_t i = 0; i < r->n; i++) {
        print_line(out, r, &l, r->items[i].text, colour ? r->items[i].colour : NULL, NULL);
        if (r->items[i].note)
            print_note(out, r->items[i].note, width);
    }
}
