/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/advise/advise.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "cli/common/print.h"
#include "cli/common/quantity.h"

#define WIDTH 80
#define INDENT 3

void advise_span(const struct samples *s, usec *ret_first, usec *ret_last, double *ret_ns)
{
    *ret_first = *ret_last = 0;
    *ret_ns = 0;
    for (size_t i = 0; i < s->n; i++) {
        usec time = s->list[i].time;

        *ret_ns += s->list[i].values[NUMBER_WINDOW];
        if (time > 0 && (*ret_first == 0 || time < *ret_first))
            *ret_first = time;
        if (time > *ret_last)
            *ret_last = time;
    }
}

static const char *value_text(const struct advice_number *n, bool utf8,
                              char out[static QUANTITY_SIZE])
{
    switch (n->form) {
    case FORM_COUNT: return quantity_count((uint64_t)quantity_whole(n->value), out);
    case FORM_MEAN: return quantity_mean(n->value, out);
    case FORM_SHARE: return quantity_share(n->value, out);
    case FORM_DURATION: return quantity_duration(quantity_whole(n->value), utf8, out);
    case FORM_BYTES: return quantity_bytes((uint64_t)quantity_whole(n->value), out);
    }
    return strcpy(out, "?");
}

static void put_words(FILE *out, const char *text)
{
    struct print_flow flow = {.out = out, .indent = INDENT, .width = WIDTH};

    if (!*text)
        return;
    print_flow_words(&flow, text);
    print_flow_end(&flow);
}

/* "In 3 of 20 samples: GOMAXPROCS 2; wait for a P, p99 34 ms" */
static void put_numbers(FILE *out, const struct advice *a, bool utf8)
{
    struct print_flow flow = {.out = out, .indent = INDENT, .width = WIDTH};
    char piece[160], value[QUANTITY_SIZE];

    if (a->n == 0)
        return;
    (void)snprintf(piece, sizeof(piece), "In %zu of %zu sample%s:", a->samples, a->of,
                   quantity_plural(a->of));
    print_flow_words(&flow, piece);
    for (size_t i = 0; i < a->n; i++) {
        int n = snprintf(piece, sizeof(piece), "%s %s%s", a->numbers[i].words,
                         value_text(&a->numbers[i], utf8, value), i + 1 < a->n ? ";" : ".");

        (void)print_flow_piece(&flow, piece, (size_t)n);
    }
    print_flow_end(&flow);
}

static void put_change(FILE *out, const struct advice *a, unsigned number, bool utf8)
{
    struct print_flow flow = {.out = out, .indent = INDENT, .width = WIDTH, .column = INDENT};

    (void)fprintf(out, "%-*u", INDENT, number);
    print_flow_words(&flow, a->text);
    print_flow_end(&flow);
    put_words(out, a->reason);
    put_words(out, a->cost);
    put_numbers(out, a, utf8);
}

static void put_title(FILE *out, const struct advise_view *v)
{
    char first_text[CLOCK_RFC3339_SIZE], last_text[CLOCK_RFC3339_SIZE], sum[QUANTITY_SIZE];
    usec first, last;
    double ns;

    advise_span(v->samples, &first, &last, &ns);
    if (*v->of)
        (void)fprintf(out, "%s: ", v->of);
    (void)fprintf(out, "%zu sample%s, %s", v->samples->n, quantity_plural(v->samples->n),
                  quantity_duration(quantity_whole(ns), v->utf8, sum));
    if (first > 0)
        (void)fprintf(out, ", %s", clock_rfc3339(first, first_text));
    if (last > first)
        (void)fprintf(out, " to %s", clock_rfc3339(last, last_text));
    if (v->samples->left_out > 0)
        (void)fprintf(out, "; %zu say too little", v->samples->left_out);
    (void)fputc('\n', out);
}

/* All with this verdict, each in its lines. */
static void put_others(FILE *out, const struct advise_view *v, enum verdict verdict,
                       const char *title)
{
    bool begun = false;

    for (size_t i = 0; i < RULES; i++) {
        const struct advice *a = &v->advice[i];

        if (a->verdict != verdict)
            continue;
        if (!begun)
            (void)fprintf(out, "\n%s\n", title);
        begun = true;
        put_words(out, a->text);
        put_numbers(out, a, v->utf8);
    }
}

void advise_text(FILE *out, const struct advise_view *v)
{
    unsigned changes = 0;

    put_title(out, v);
    (void)fputc('\n', out);
    for (size_t i = 0; i < RULES; i++) {
        if (v->advice[i].verdict == VERDICT_CHANGE)
            put_change(out, &v->advice[i], ++changes, v->utf8);
    }
    if (changes == 0)
        (void)fputs("No change.\n", out);
    put_others(out, v, VERDICT_KEEP, changes > 0 ? "No change otherwise:" : "Why:");
    put_others(out, v, VERDICT_UNKNOWN, "Not known:");
}
