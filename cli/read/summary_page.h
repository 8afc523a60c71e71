/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The text of a summary while it is printed: cells and lines that its parts share. Private to
 * summary*.c. */

#include "cli/read/summary.h"

#define PAGE_NAME_WIDTH 30 /* two more than Go's longest reason to wait */
#define PAGE_LINE_WIDTH 96

struct page {
    FILE *out;
    const struct summary *s;
    const struct summary_view *view;
};

void page_spaces(const struct page *p, size_t n);

/* A right-aligned cell: characters are counted, not bytes. */
void page_cell(const struct page *p, const char *text, size_t width);
void page_duration(const struct page *p, int64_t ns, size_t width);
void page_count(const struct page *p, uint64_t n, size_t width);
void page_share(const struct page *p, double value, size_t width);

/* How many there are at any time: "0.02", "49.9", "1,024". */
void page_mean(const struct page *p, double value, size_t width);

/* A left-aligned name. */
void page_name(const struct page *p, const char *text);

/* A time, what share it is, and a bar. */
void page_share_row(const struct page *p, const char *what, int64_t time, int64_t of);

/* summary_waits.c: where goroutines wait and were in syscalls; CPU samples */
void page_waits(const struct page *p);
void page_samples(const struct page *p);
void page_queue(const struct page *p);

/* summary_findings.c: label, findings, near misses */
void page_findings(const struct page *p);

/* summary_unended.c: how many calls and waits did not end, or go on all the time */
void page_unended(const struct page *p);

/* summary_standing.c: waits that are meant to be there, in one line. They stand behind the others in
 * a list of sites, and are in no table. */
bool page_is_standing(const struct summary_site *site);
void page_standing(const struct page *p);
