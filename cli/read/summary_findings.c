/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/common/print.h"
#include "cli/common/quantity.h"
#include "cli/read/summary_page.h"
#include "trace/findings/findings.h"

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
        jsonwriter_integer(w, n->name, quantity_whole(n->value));
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
    jsonwriter_count(w, "open", site->open);
    place_own_json(w, &site->own);
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
    jsonwriter_integer(w, "lost_ns", quantity_whole(f->lost));
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
        return quantity_duration(quantity_whole(n->value), utf8, out);
    if (is_a(n, "_share"))
        return quantity_share(n->value, out);
    if (is_a(n, "_bytes") && n->value >= 0)
        return quantity_bytes((uint64_t)quantity_whole(n->value), out);
    if (is_whole(n->value) && n->value >= 0)
        return quantity_count((uint64_t)quantity_whole(n->value), out);
    if (n->value >= 100)
        return quantity_count((uint64_t)quantity_whole(n->value), out);
    (void)snprintf(out, QUANTITY_SIZE, "%.3g", n->value);
    return out;
}

static struct print_flow flow_of(FILE *out)
{
    return (struct print_flow){.out = out, .indent = 4, .width = PAGE_LINE_WIDTH};
}

/* "4,218 waits", or "waits 4,218" of a number that has no words. Values show their unit, so names
 * come without _ns and _bytes. */
static void say(const struct finding_number *n, bool utf8, char *out, size_t size)
{
    char value[QUANTITY_SIZE];
    bool one = strcmp(quantity(n, utf8, value), "1") == 0;
    const char *words = summary_words(n->name, one), *at = words ? strstr(words, "%s") : NULL;
    size_t len = strlen(n->name);

    if (is_a(n, "_ns"))
        len -= strlen("_ns");
    else if (is_a(n, "_bytes"))
        len -= strlen("_bytes");
    if (at)
        (void)snprintf(out, size, "%.*s%s%s", (int)(at - words), words, value, at + 2);
    else
        (void)snprintf(out, size, "%.*s %s", (int)len, n->name, value);
}

/* A count of nothing, or the length of what there was none of. */
static bool says_nothing(const struct finding_number *n)
{
    return n->value == 0 && !is_a(n, "_share");
}

void summary_evidence_text(struct print_flow *flow, const struct finding *f, bool utf8)
{
    size_t n = f->n_evidence;

    flow->between = ",";
    while (n > 1 && says_nothing(&f->evidence[n - 1]))
        n--;
    for (size_t i = 0; i < n; i++) {
        char text[160];

        if (says_nothing(&f->evidence[i]) && i + 1 < n)
            continue;
        say(&f->evidence[i], utf8, text, sizeof(text));
        if (!print_flow_piece(flow, text, strlen(text)))
            break;
    }
    print_flow_end(flow);
}

static void evidence(FILE *out, const struct finding *f, size_t lines, bool utf8)
{
    struct print_flow flow = flow_of(out);

    flow.most = lines;
    summary_evidence_text(&flow, f, utf8);
}

/* Of sites that would look the same, the line that waits is told, too. */
static void tell_apart(const struct page *p, const struct finding *f,
                       const struct finding_site *site)
{
    for (size_t i = 0; i < f->n_sites; i++) {
        const struct finding_site *other = &f->sites[i];

        if (other == site || place_frame_equal(&other->at, &site->at) ||
            !place_equal(&other->own, &other->at, &site->own, &site->at))
            continue;
        (void)fputs("  (", p->out);
        place_frame(p->out, &site->at);
        (void)fputc(')', p->out);
        return;
    }
}

/* Sites that are next to nothing beside the first are left out. */
static void site_lines(const struct page *p, const struct finding *f, size_t most)
{
    for (size_t i = 0; i < f->n_sites && i < most; i++) {
        const struct finding_site *site = &f->sites[i];

        if (site->total < f->sites[0].total / 100)
            continue;
        (void)fputs("    ", p->out);
        if (f->score > 0)
            page_duration(p, site->total, 10);
        else
            page_spaces(p, 10);
        page_count(p, site->count, 10);
        (void)fputs("x  ", p->out);
        place_print(p->out, &site->own, &site->at, p->view->utf8);
        tell_apart(p, f, site);
        if (site->open > 0 && site->count == 1) {
            (void)fputs(", not over", p->out);
        } else if (site->open > 0) {
            (void)fputs(", ", p->out);
            page_count(p, site->open, 0);
            (void)fputs(" not over", p->out);
        }
        (void)fputc('\n', p->out);
    }
}

const char *summary_strength(double score)
{
    return score >= 0.95 ? "beyond doubt" : score >= 0.75 ? "clear" : "suspected";
}

static void head(FILE *out, const struct finding *f, bool first)
{
    char share[QUANTITY_SIZE];

    (void)fprintf(out, "  %s", f->code);
    if (f->subject) {
        (void)fputs("  \"", out);
        print_plain(out, f->subject, 100);
        (void)fputc('"', out);
    }
    if (f->score > 0)
        (void)fprintf(out, "  (%s: score %.2f%s", summary_strength(f->score), f->score,
                      first ? " of 1, from 0.5 on a finding" : "");
    else
        (void)fputs("  (a note, not the label", out);
    if (f->lost_share > 0 && f->lost_share < 1)
        (void)fprintf(out, "; %s of the time lost", quantity_share(f->lost_share, share));
    if (f->because)
        (void)fprintf(out, "; because of %s", f->because);
    (void)fputs(")\n", out);
    if (f->remark[0] != '\0') {
        (void)fputs("    ", out);
        print_plain(out, f->remark, sizeof(f->remark));
        (void)fputc('\n', out);
    }
}

/* How near a rule came to a finding is a share of the score that makes one. */
#define FINDING_SCORE 0.5
#define NEAR_SHARE 0.1

/* Nothing where none is near: that is what the label says. */
static void near_misses(FILE *out, const struct findings *findings)
{
    size_t n = 0;

    for (; n < findings->n_near && findings->near[n].score >= NEAR_SHARE * FINDING_SCORE; n++)
        (void)fprintf(out, "%s%s (%.0f%%%s)", n == 0 ? "  no rule matched; nearest: " : ", ",
                      findings->near[n].code, findings->near[n].score / FINDING_SCORE * 100,
                      n == 0 ? " of the way to a finding" : "");
    (void)fputs(n > 0 ? "\n" : "", out);
}

/* How much of a finding is told: lines of evidence, call sites, and what to do next. */
struct extent {
    size_t evidence, sites;
    bool next;
};

/* Where it is to be brief, the first finding has the room; the others have what they are, why, and
 * where. */
static struct extent extent_of(const struct page *p, bool alone, bool first)
{
    static const struct extent all = {SIZE_MAX, SIZE_MAX, true}, most = {2, 2, true},
                               some = {1, 1, false};

    if (p->view->brief == 0 || (alone && p->view->brief == 1))
        return all;
    return first ? most : some;
}

static void finding(const struct page *p, const struct finding *f, bool first, struct extent extent)
{
    struct print_flow flow = flow_of(p->out);

    head(p->out, f, first);
    evidence(p->out, f, extent.evidence, p->view->utf8);
    site_lines(p, f, extent.sites);
    if (!extent.next)
        return;
    print_flow_words(&flow, f->next);
    print_flow_end(&flow);
}

void page_findings(const struct page *p)
{
    struct findings findings;

    findings_find(p->s, p->view->context, &findings);
    (void)fprintf(p->out, "\nLabel: %s", findings.label);
    if (findings.not_inspected)
        (void)fprintf(p->out, " (%s: %s)", findings.not_inspected, findings.why);
    (void)fputc('\n', p->out);
    if (!findings.not_inspected)
        near_misses(p->out, &findings);
    if (findings.n_near > 0 || findings.not_inspected)
        page_unended(p);
    for (size_t i = 0; i < findings.n; i++)
        finding(p, &findings.list[i], i == 0, extent_of(p, findings.n == 1, i == 0));
}
