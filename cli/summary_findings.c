/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/quantity.h"
#include "cli/summary.h"
#include "trace/findings.h"

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

static json_t *number(const struct finding_number *n)
{
    if (is_a(n, "_ns") || is_whole(n->value))
        return json_integer((json_int_t)n->value);
    return json_real(n->value);
}

static json_t *finding(const struct finding *f)
{
    json_t *evidence = json_object(), *sites = json_array();

    for (size_t i = 0; i < f->n_evidence; i++)
        (void)json_object_set_new(evidence, f->evidence[i].name, number(&f->evidence[i]));
    for (size_t i = 0; i < f->n_sites; i++) {
        const struct finding_site *site = &f->sites[i];

        (void)json_array_append_new(
            sites,
            json_pack("{s:o,s:o,s:I,s:I,s:I}", "func", summary_json_text(site->at.func), "file",
                      summary_json_text(site->at.file), "line", (json_int_t)site->at.line, "count",
                      (json_int_t)site->count, "total_ns", (json_int_t)site->total));
    }
    return json_pack("{s:s,s:f,s:o,s:o,s:s}", "code", f->code, "score", f->score, "evidence",
                     evidence, "sites", sites, "next", f->next);
}

void summary_findings_json(json_t *o, const struct summary *s)
{
    struct findings findings;
    json_t *list = json_array();

    findings_find(s, &findings);
    for (size_t i = 0; i < findings.n; i++)
        (void)json_array_append_new(list, finding(&findings.list[i]));
    (void)json_object_set_new(o, "findings", list);
    (void)json_object_set_new(o, "label", json_string(findings.label));
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

/* "waiting_share 96.2%, waits 4,218": the unit is seen at the number, not at the name. */
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

        (void)fprintf(out, "    %10s %9sx  ", quantity_duration(f->sites[i].total, utf8, total),
                      quantity_count(f->sites[i].count, count));
        summary_text_place(out, &f->sites[i].at);
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

void summary_findings_text(FILE *out, const struct summary *s, const struct summary_view *view)
{
    struct findings findings;

    findings_find(s, &findings);
    (void)fprintf(out, "\nLabel: %s\n", findings.label);
    for (size_t i = 0; i < findings.n; i++) {
        const struct finding *f = &findings.list[i];

        (void)fprintf(out, "  %s  (score %.2f)\n", f->code, f->score);
        evidence(out, f, view->utf8);
        site_lines(out, f, view->utf8);
        advice(out, f->next);
    }
}
