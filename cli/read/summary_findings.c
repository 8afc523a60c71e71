/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/common/quantity.h"
#include "cli/read/summary.h"
#include "trace/findings/findings.h"

#define LINE_WIDTH 96

/* Whether a number's name ends so. */
static bool is_a(const struct finding_number *number, const char *unit)
{
    size_t n = strlen(number->name), m = strlen(unit);

    return n > m && strcmp(number->name + n - m, unit) == 0;
}

static bool is_whole(double value)
{
    return value >= -9e15 && value <= 9e15 && value == (double)(int64_t)value;
}

static void put_number(struct jsonwriter *w, const struct finding_number *n)
{
    if (is_a(n, "_ns") || is_whole(n->value))
        jsonwriter_integer(w, n->name, (int64_t)n->value);
    else
        jsonwriter_real(w, n->name, n->value);
}

static void put_site(struct jsonwriter *w, const struct finding_site *site)
{
    jsonwriter_object(w, NULL);
    jsonwriter_text(w, "func", site->at.func);
    jsonwriter_text(w, "file", site->at.file);
    jsonwriter_count(w, "line", site->at.line);
    jsonwriter_count(w, "count", site->count);
    jsonwriter_integer(w, "total_ns", site->total);
    jsonwriter_end(w);
}

static void put_finding(struct jsonwriter *w, const struct finding *f)
{
    jsonwriter_object(w, NULL);
    jsonwriter_text(w, "code", f->code);
    jsonwriter_real(w, "score", f->score);
    if (f->subject)
        jsonwriter_text(w, "subject", f->subject);
    jsonwriter_object(w, "evidence");
    for (size_t i = 0; i < f->n_evidence; i++)
        put_number(w, &f->evidence[i]);
    jsonwriter_end(w);
    jsonwriter_array(w, "sites");
    for (size_t i = 0; i < f->n_sites; i++)
        put_site(w, &f->sites[i]);
    jsonwriter_end(w);
    if (f->remark[0] != '\0')
        jsonwriter_text(w, "remark", f->remark);
    if (f->because)
        jsonwriter_text(w, "because", f->because);
    jsonwriter_integer(w, "lost_ns", (int64_t)f->lost);
    jsonwriter_real(w, "lost_share", f->lost_share);
    jsonwriter_text(w, "next", f->next);
    jsonwriter_end(w);
}

static void put_near(struct jsonwriter *w, const struct findings *findings)
{
    jsonwriter_array(w, "near");
    for (size_t i = 0; i < findings->n_near; i++) {
        jsonwriter_object(w, NULL);
        jsonwriter_text(w, "code", findings->near[i].code);
        jsonwriter_real(w, "score", findings->near[i].score);
        jsonwriter_end(w);
    }
    jsonwriter_end(w);
}

void summary_findings_json(struct jsonwriter *w, const struct summary *s,
                           const struct context *context)
{
    struct findings findings;

    findings_find(s, context, &findings);
    jsonwriter_array(w, "findings");
    for (size_t i = 0; i < findings.n; i++)
        put_finding(w, &findings.list[i]);
    jsonwriter_end(w);
    put_near(w, &findings);
    jsonwriter_text(w, "label", findings.label);
    if (findings.not_inspected) {
        jsonwriter_text(w, "not_inspected", findings.not_inspected);
        jsonwriter_text(w, "not_inspected_why", findings.why);
    }
}

static const char *quantity(const struct finding_number *n, bool utf8, char out[QUANTITY_SIZE])
{
    if (is_a(n, "_ns"))
        return quantity_duration((int64_t)n->value, utf8, out);
    if (is_a(n, "_share"))
        return quantity_share(n->value, out);
    if (is_a(n, "_bytes") && n->value >= 0)
        return quantity_bytes((uint64_t)n->value, out);
    if (is_whole(n->value) && n->value >= 0)
        return quantity_count((uint64_t)n->value, out);
    if (n->value >= 100)
        return quantity_count((uint64_t)n->value, out);
    (void)snprintf(out, QUANTITY_SIZE, "%.3g", n->value);
    return out;
}

/* "waiting_share 96.2%, waits 4,218". Numbers show their unit, so names come without _ns and
 * _bytes. */
static void evidence(FILE *out, const struct finding *f, bool utf8)
{
    size_t column = 0;

    for (size_t i = 0; i < f->n_evidence; i++) {
        const struct finding_number *n = &f->evidence[i];
        size_t len = strlen(n->name);
        char value[QUANTITY_SIZE], cell[128];
        int width;

        if (is_a(n, "_ns"))
            len -= strlen("_ns");
        else if (is_a(n, "_bytes"))
            len -= strlen("_bytes");
        width = snprintf(cell, sizeof(cell), "%.*s %s%s", (int)len, n->name,
                         quantity(n, utf8, value), i + 1 < f->n_evidence ? "," : "");
        if (width < 0)
            continue;
        if (column == 0 || column + (size_t)width + 1 > LINE_WIDTH) {
            (void)fputs(column == 0 ? "   " : "\n   ", out);
            column = 3;
        }
        (void)fprintf(out, " %s", cell);
        column += (size_t)width + 1;
    }
    (void)fputc('\n', out);
}

static void site_lines(FILE *out, const struct finding *f, bool utf8)
{
    for (size_t i = 0; i < f->n_sites; i++) {
        char total[QUANTITY_SIZE], count[QUANTITY_SIZE];

        if (f->score > 0)
            (void)quantity_duration(f->sites[i].total, utf8, total);
        (void)fprintf(out, "    %10s %9sx  ", f->score > 0 ? total : "",
                      quantity_count(f->sites[i].count, count));
        summary_place(out, &f->sites[i].at);
        (void)fputc('\n', out);
    }
}

/* A sentence in lines. */
static void advice(FILE *out, const char *text)
{
    size_t column = 0;

    while (*text != '\0') {
        size_t n = strcspn(text, " ");

        if (column == 0 || column + n + 1 > LINE_WIDTH) {
            (void)fputs(column == 0 ? "   " : "\n   ", out);
            column = 3;
        }
        (void)fprintf(out, " %.*s", (int)n, text);
        column += n + 1;
        text += n;
        text += strspn(text, " ");
    }
    (void)fputc('\n', out);
}

static void head(FILE *out, const struct finding *f)
{
    char share[QUANTITY_SIZE];

    (void)fprintf(out, "  %s", f->code);
    if (f->subject) {
        (void)fputs("  \"", out);
        summary_plain(out, f->subject, 100);
        (void)fputc('"', out);
    }
    if (f->score > 0)
        (void)fprintf(out, "  (score %.2f of 1", f->score);
    else
        (void)fputs("  (a note, not the label", out);
    if (f->lost_share > 0 && f->lost_share < 1)
        (void)fprintf(out, ", %s of the time lost", quantity_share(f->lost_share, share));
    if (f->because)
        (void)fprintf(out, ", because of %s", f->because);
    (void)fputs(")\n", out);
    if (f->remark[0] != '\0') {
        (void)fputs("    ", out);
        summary_plain(out, f->remark, sizeof(f->remark));
        (void)fputc('\n', out);
    }
}

/* "No rule matched; the nearest: lock-contention (0.31 of the 0.5 that it takes), …" */
static void near_misses(FILE *out, const struct findings *findings)
{
    (void)fputs("  no rule matched", out);
    for (size_t i = 0; i < findings->n_near; i++)
        (void)fprintf(out, "%s%s %.2f", i == 0 ? "; nearest (0.5 is a finding): " : ", ",
                      findings->near[i].code, findings->near[i].score);
    (void)fputc('\n', out);
}

void summary_findings_text(FILE *out, const struct summary *s, const struct summary_view *view)
{
    struct findings findings;

    findings_find(s, view->context, &findings);
    (void)fprintf(out, "\nLabel: %s", findings.label);
    if (findings.not_inspected)
        (void)fprintf(out, " (%s: %s)", findings.not_inspected, findings.why);
    (void)fputc('\n', out);
    if (findings.n_near > 0)
        near_misses(out, &findings);
    for (size_t i = 0; i < findings.n; i++) {
        const struct finding *f = &findings.list[i];

        head(out, f);
        evidence(out, f, view->utf8);
        site_lines(out, f, view->utf8);
        advice(out, f->next);
    }
}
