/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "cli/read/summary.h"

/* A trace may contain anything: prints only printable characters, at most `max`. */
size_t summary_plain(FILE *out, const char *text, size_t max)
{
    size_t n = 0;

    for (; text[n] && n < max; n++)
        (void)putc(text[n] >= ' ' && text[n] <= '~' ? text[n] : '?', out);
    return n;
}

void summary_cell(FILE *out, const char *text, size_t width)
{
    size_t n = 0;

    for (const char *c = text; *c; c++)
        n += (*c & 0xc0) != 0x80;
    (void)fprintf(out, "%*s%s", (int)(n < width ? width - n : 0), "", text);
}

/* "main.go:12" of a long path: the last two components. */
void summary_place(FILE *out, const struct summary_frame *f)
{
    const char *from = f->file;
    unsigned slashes = 0;

    for (const char *c = f->file + strlen(f->file); c > f->file; c--) {
        if (c[-1] == '/' && ++slashes == 2) {
            from = c;
            break;
        }
    }
    if (!*f->func) {
        (void)fputs("(no stack)", out);
        return;
    }
    (void)summary_plain(out, f->func, 200);
    (void)fputs("  ", out);
    (void)summary_plain(out, from, 100);
    (void)fprintf(out, ":%" PRIu64, f->line);
}
