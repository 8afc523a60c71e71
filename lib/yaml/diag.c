/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/yaml/diag.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "lib/yaml/text.h"

/* A line longer than this is cut around its column. */
#define SHOWN_MAX 120u
#define SHOWN_BEFORE 60u
#define BRIEF_MAX 3 /* errors in one line */

static void diag_done(struct diag *g)
{
    free(g->file);
    free(g->message);
    free(g->source);
}

void diags_done(struct diags *d)
{
    for (size_t i = 0; i < d->n; i++)
        diag_done(&d->items[i]);
    free(d->items);
    *d = (struct diags){0};
}

size_t diags_count(const struct diags *d)
{
    return d->n + d->dropped;
}

/* The start of a line counted from 1, NULL if the text has fewer. */
static const char *find_line(const char *text, unsigned line)
{
    for (unsigned at = 1; at < line;) {
        size_t len = text_break_length(text);

        if (*text == '\0')
            return NULL;
        if (len > 0)
            at++;
        text += len ? len : 1;
    }
    return text;
}

/* The character after p; broken UTF-8 counts byte by byte. */
static const char *next_char(const char *p, const char *end)
{
    size_t len = utf8_length(p, (size_t)(end - p));

    return p + (len ? len : 1);
}

/* Moves `chars` characters on, at most to the end. */
static const char *skip_chars(const char *p, const char *end, unsigned chars)
{
    while (chars-- > 0 && p < end)
        p = next_char(p, end);
    return p;
}

/* Cuts the line to the part around the column that fits a terminal. */
static char *cut_line(const char *text, unsigned line, unsigned column, unsigned *ret_caret)
{
    const char *start = find_line(text, line), *end, *stop;
    unsigned caret = column;
    char *shown = NULL;

    if (!start)
        return NULL;
    for (end = start; *end != '\0' && text_break_length(end) == 0;)
        end++;
    if (start == end || text_may_be_secret(text, start, (size_t)(end - start)))
        return NULL;
    stop = skip_chars(start, end, SHOWN_MAX);
    if (stop < end && column > SHOWN_BEFORE) {
        start = skip_chars(start, end, column - SHOWN_BEFORE);
        stop = skip_chars(start, end, SHOWN_MAX);
        caret = SHOWN_BEFORE + 3;
        if (asprintf(&shown, "...%.*s%s", (int)(stop - start), start, stop < end ? "..." : "") < 0)
            return NULL;
    } else if (asprintf(&shown, "%.*s%s", (int)(stop - start), start, stop < end ? "..." : "") <
               0) {
        return NULL;
    }
    text_make_printable(shown);
    *ret_caret = caret;
    return shown;
}

__attribute__((format(printf, 4, 0))) static int diag_fill(struct diag *g, const char *file,
                                                           const char *source, const char *fmt,
                                                           va_list ap)
{
    if (vasprintf(&g->message, fmt, ap) < 0) {
        g->message = NULL;
        return -1;
    }
    text_make_printable(g->message);
    if (file) {
        g->file = strdup(file);
        if (!g->file)
            return -1;
        text_make_printable(g->file);
    }
    /* A line that cannot be shown for want of memory is no reason to lose the message. */
    if (source && g->line > 0)
        g->source = cut_line(source, g->line, g->column, &g->caret);
    return 0;
}

void diags_addv(struct diags *d, const char *file, unsigned line, unsigned column,
                const char *source, const char *fmt, va_list ap)
{
    struct diag g = {.line = line, .column = column};
    struct diag *items;

    if (d->n >= DIAG_MAX) {
        d->dropped++;
        return;
    }
    items = realloc(d->items, (d->n + 1) * sizeof(*items));
    if (items)
        d->items = items;
    if (!items || diag_fill(&g, file, source, fmt, ap) < 0) {
        diag_done(&g);
        d->dropped++;
        return;
    }
    d->items[d->n++] = g;
}

void diags_add(struct diags *d, const char *file, unsigned line, unsigned column,
               const char *source, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    diags_addv(d, file, line, column, source, fmt, ap);
    va_end(ap);
}

void diags_mask_value(struct diags *d, size_t at)
{
    struct diag *g = at < d->n ? &d->items[at] : NULL;
    char *shown = NULL;
    size_t before;

    if (!g || !g->source)
        return;
    before = strspn(g->source, " -\t[{");
    /* The text before the key may be a value, and so a secret. */
    if (before + 1 != g->caret ||
        asprintf(&shown, "%.*s: ...", (int)(before + strcspn(g->source + before, ":")), g->source) <
            0)
        shown = NULL;
    free(g->source);
    g->source = shown;
    g->masked = true;
}

/* By file, options last, then by place. */
static int diag_compare(const struct diag *a, const struct diag *b)
{
    int order;

    if (!a->file || !b->file)
        return !a->file - !b->file;
    order = strcmp(a->file, b->file);
    if (order != 0)
        return order;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

/* An insertion sort: it is stable, which qsort(3) is not, and there are at most DIAG_MAX. */
static void sort(struct diags *d)
{
    for (size_t i = 1; i < d->n; i++) {
        struct diag moved = d->items[i];
        size_t at = i;

        for (; at > 0 && diag_compare(&d->items[at - 1], &moved) > 0; at--)
            d->items[at] = d->items[at - 1];
        d->items[at] = moved;
    }
}

/* The caret's line repeats the tabs of the line above, so that both are indented alike. */
static void print_source(const struct diag *g, FILE *out)
{
    const char *p = g->source, *end = p + strlen(p);

    (void)fprintf(out, "%s\n", g->source);
    for (unsigned i = 1; i < g->caret; i++) {
        (void)fputc(p < end && *p == '\t' ? '\t' : ' ', out);
        p = p < end ? next_char(p, end) : p;
    }
    (void)fputs("^\n", out);
}

static bool same_line(const struct diag *a, const struct diag *b)
{
    return a->line == b->line && a->file && b->file && strcmp(a->file, b->file) == 0;
}

/* If one error hides a part of a line, no other error shows that part. */
static bool keeps_unseen(const struct diag *other, const struct diag *g)
{
    return !other->source || (other->masked && !g->masked);
}

static bool unseen(const struct diags *d, size_t i)
{
    for (size_t k = i; k < d->n && same_line(&d->items[k], &d->items[i]); k++) {
        if (keeps_unseen(&d->items[k], &d->items[i]))
            return true;
    }
    for (size_t k = i; k-- > 0 && same_line(&d->items[k], &d->items[i]);) {
        if (keeps_unseen(&d->items[k], &d->items[i]))
            return true;
    }
    return false;
}

static void print_message(const struct diag *g, FILE *out)
{
    if (g->line > 0 && g->file)
        (void)fprintf(out, "%s:%u:%u: %s", g->file, g->line, g->column, g->message);
    else
        (void)fprintf(out, "%s: %s", g->file ? g->file : "contraced", g->message);
}

void diags_print(struct diags *d, FILE *out)
{
    sort(d);
    for (size_t i = 0; i < d->n; i++) {
        const struct diag *g = &d->items[i];

        print_message(g, out);
        (void)fputc('\n', out);
        if (g->source && !unseen(d, i))
            print_source(g, out);
    }
    if (d->dropped > 0 && d->n >= DIAG_MAX)
        (void)fprintf(out, "contraced: %zu more not shown\n", d->dropped);
    else if (d->dropped > 0)
        (void)fputs("contraced: out of memory\n", out);
}

char *diags_brief(struct diags *d)
{
    size_t shown = d->n < BRIEF_MAX ? d->n : BRIEF_MAX, len = 0;
    _cleanup_free_ char *text = NULL;
    FILE *f = shown > 0 ? open_memstream(&text, &len) : NULL;
    bool failed;

    if (!f)
        return NULL;
    sort(d);
    for (size_t i = 0; i < shown; i++) {
        (void)fputs(i > 0 ? "; " : "", f);
        print_message(&d->items[i], f);
    }
    if (diags_count(d) > shown)
        (void)fprintf(f, "; and %zu more: contraced --check-config shows all",
                      diags_count(d) - shown);
    failed = ferror(f) != 0;
    return fclose(f) != 0 || failed ? NULL : steal(&text);
}
