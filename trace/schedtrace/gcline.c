/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/schedtrace/gcline.h"

#include "trace/schedtrace/scan.h"

#define PARTS_MAX 8

/* "0.018+1.4+0.002", in which parts of one phase are separated by '/'. */
struct parts {
    double value[PARTS_MAX];
    char before[PARTS_MAX + 1]; /* the separator in front of each; 0 of the first */
    size_t n;
};

static bool scan_parts(const char **at, struct parts *parts)
{
    *parts = (struct parts){0};
    while (parts->n < PARTS_MAX && scan_decimal(at, &parts->value[parts->n])) {
        parts->n++;
        if (**at != '+' && **at != '/')
            return parts->n >= 3;
        parts->before[parts->n] = *(*at)++;
    }
    return false;
}

static void clock_of(const struct parts *clock, struct gcline *gc)
{
    gc->pause[0] = clock->value[0];
    gc->pause[1] = clock->value[clock->n - 1];
    for (size_t i = 1; i + 1 < clock->n; i++)
        gc->mark += clock->value[i];
}

/* Assists stand before the first '/', dedicated workers behind it, idle ones last. */
static void cpu_of(const struct parts *cpu, struct gcline *gc)
{
    for (size_t i = 1; i < cpu->n; i++) {
        if (cpu->before[i] != '/')
            continue;
        gc->assist = cpu->value[i - 1];
        gc->background = cpu->value[i];
        return;
    }
}

static bool scan_heap(const char **at, struct gcline *gc)
{
    const uint64_t most = UINT32_MAX; /* MB */

    return scan_number(at, most, &gc->before) && scan_text(at, "->") &&
           scan_number(at, most, &gc->after) && scan_text(at, "->") &&
           scan_number(at, most, &gc->live) && scan_text(at, " MB, ") &&
           scan_number(at, most, &gc->goal) && scan_text(at, " MB goal, ");
}

/* Behind the goal: since Go 1.18 stacks and globals, then the Ps. */
static bool scan_rest(const char **at, struct gcline *gc)
{
    uint64_t ignored, procs;
    const char *p = *at;

    if (scan_number(&p, UINT32_MAX, &ignored) && scan_text(&p, " MB stacks, ") &&
        scan_number(&p, UINT32_MAX, &ignored) && scan_text(&p, " MB globals, "))
        *at = p;
    if (!scan_number(at, UINT32_MAX, &procs) || !scan_text(at, " P"))
        return false;
    gc->procs = (uint32_t)procs;
    gc->forced = scan_text(at, " (forced)");
    return true;
}

size_t gcline_read(const char *text, struct gcline *ret)
{
    struct gcline gc = {0};
    struct parts clock, cpu;
    const char *at = text;
    uint64_t percent;

    if (!scan_text(&at, "gc ") || !scan_number(&at, UINT32_MAX, &gc.cycle) ||
        !scan_text(&at, " @") || !scan_decimal(&at, &gc.at) || !scan_text(&at, "s ") ||
        !scan_number(&at, 1000, &percent) || !scan_text(&at, "%"))
        return 0;
    (void)scan_text(&at, " (checking for goroutine leaks)"); /* since Go 1.26 */
    if (!scan_text(&at, ": ") || !scan_parts(&at, &clock) || !scan_text(&at, " ms clock, ") ||
        !scan_parts(&at, &cpu) || !scan_text(&at, " ms cpu, ") || !scan_heap(&at, &gc) ||
        !scan_rest(&at, &gc))
        return 0;
    gc.percent = (unsigned)percent;
    clock_of(&clock, &gc);
    cpu_of(&cpu, &gc);
    *ret = gc;
    return (size_t)(at - text);
}
