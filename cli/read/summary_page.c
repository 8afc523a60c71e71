/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/read/summary_page.h"

#include "cli/common/print.h"
#include "cli/common/quantity.h"

#define BAR_WIDTH 24

void page_spaces(const struct page *p, size_t n)
{
    (void)fprintf(p->out, "%*s", (int)n, "");
}

void page_cell(const struct page *p, const char *text, size_t width)
{
    print_cell(p->out, text, width);
}

void page_duration(const struct page *p, int64_t ns, size_t width)
{
    char text[QUANTITY_SIZE];

    page_cell(p, quantity_duration(ns, p->view->utf8, text), width);
}

void page_count(const struct page *p, uint64_t n, size_t width)
{
    char text[QUANTITY_SIZE];

    page_cell(p, quantity_count(n, text), width);
}

void page_share(const struct page *p, double value, size_t width)
{
    char text[QUANTITY_SIZE];

    page_cell(p, quantity_share(value, text), width);
}

void page_mean(const struct page *p, double value, size_t width)
{
    char text[QUANTITY_SIZE];

    page_cell(p, quantity_mean(value, text), width);
}

void page_name(const struct page *p, const char *text)
{
    size_t n = print_plain(p->out, text, PAGE_NAME_WIDTH);

    page_spaces(p, PAGE_NAME_WIDTH - n);
}

void page_share_row(const struct page *p, const char *what, int64_t time, int64_t of)
{
    double value = of > 0 ? (double)time / (double)of : 0;
    char text[QUANTITY_BAR_SIZE];

    (void)fputs("  ", p->out);
    page_name(p, what);
    page_duration(p, time, 9);
    page_share(p, value, 8);
    (void)fprintf(p->out, "  %s\n", quantity_bar(value, BAR_WIDTH, p->view->utf8, text));
}
