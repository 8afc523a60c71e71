/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/advise/advice.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

size_t advice_enough(size_t n)
{
    if (n <= 3)
        return 1;
    return n <= 20 ? 2 : (n + 9) / 10;
}

void advice_tell(struct advice *a, const char *name, const char *words, enum form form,
                 double value)
{
    if (a->n < ADVICE_NUMBERS && !isnan(value))
        a->numbers[a->n++] = (struct advice_number){name, words, form, value};
}

void advice_say(char out[static ADVICE_TEXT], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(out, ADVICE_TEXT, fmt, ap);
    va_end(ap);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static bool is_at(const json_t *site, const json_t *other)
{
    return strcmp(text_of(site, "func"), text_of(other, "func")) == 0 &&
           json_integer_value(json_object_get(site, "line")) ==
               json_integer_value(json_object_get(other, "line"));
}

static const json_t *own_of(const json_t *site)
{
    const json_t *own = json_object_get(site, "own");

    return json_is_object(own) ? own : site;
}

/* Whether the call site with most of the first is one of the second, as those of a lock that several
 * functions take: which of these is ahead is chance. */
static bool is_same(const json_t *a, const json_t *b)
{
    const json_t *first = own_of(json_array_get(json_object_get(a, "sites"), 0)), *site;
    size_t i;

    json_array_foreach(json_object_get(b, "sites"), i, site) {
        if (is_at(first, own_of(site)))
            return true;
    }
    return !first;
}

static const json_t *fitting(const struct sample *s, const char *code,
                             bool (*fits)(const json_t *finding))
{
    const json_t *finding = sample_finding(s, code);

    return finding && (!fits || fits(finding)) ? finding : NULL;
}

/* How many of the samples have a finding like that of the i-th. */
static size_t count_like(const struct samples *s, const char *code,
                         bool (*fits)(const json_t *finding), size_t i, const json_t **ret_worst)
{
    const json_t *model = fitting(&s->list[i], code, fits);
    double most = -1;
    size_t n = 0;

    for (size_t k = 0; model && k < s->n; k++) {
        const json_t *finding = fitting(&s->list[k], code, fits);
        double waiting;

        if (!finding || !is_same(model, finding))
            continue;
        waiting = finding_number(finding, "waiting_mean");
        if (n == 0 || waiting > most) {
            *ret_worst = finding;
            most = waiting;
        }
        n++;
    }
    return n;
}

void advice_find(const struct samples *s, const char *code, bool (*fits)(const json_t *finding),
                 struct advice_findings *ret)
{
    const json_t *site;

    *ret = (struct advice_findings){.remark = ""};
    for (size_t i = 0; i < s->n; i++) {
        const json_t *worst = NULL;
        size_t n = count_like(s, code, fits, i, &worst);

        if (n > ret->n) {
            ret->n = n;
            ret->worst = worst;
        }
    }
    if (ret->n == 0)
        return;
    ret->remark = text_of(ret->worst, "remark");
    site = own_of(json_array_get(json_object_get(ret->worst, "sites"), 0));
    if (*text_of(site, "func")) {
        ret->func = text_of(site, "func");
        ret->file = text_of(site, "file");
        ret->line = json_integer_value(json_object_get(site, "line"));
    }
}

void advice_place(const struct advice_findings *f, char out[static ADVICE_TEXT])
{
    const char *slash = f->func ? strrchr(f->file, '/') : NULL;

    if (f->func)
        advice_say(out, "%s (%s:%lld)", f->func, slash ? slash + 1 : f->file, f->line);
    else
        advice_say(out, "a call site that no sample tells");
}
