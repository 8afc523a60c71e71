/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/find/progress.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "cli/common/screen.h"

#define REDRAW (100 * USEC_PER_MSEC)
#define BAR_MAX 40
#define BAR_MIN 8

void progress_init(struct progress *p, size_t files, uint64_t bytes, usec now)
{
    *p = (struct progress){
        .width = screen_width(stderr), .files = files, .bytes = bytes, .start = now};
}

static void fill_bar(char *out, unsigned width, double part)
{
    unsigned full = (unsigned)(part * width);

    memset(out, '-', width);
    memset(out, '#', full < width ? full : width);
    out[width] = '\0';
}

const char *progress_text(const struct progress *p, usec now, char out[static PROGRESS_TEXT_SIZE])
{
    uint64_t total = p->bytes > p->bytes_done ? p->bytes : p->bytes_done;
    usec passed = now > p->start ? now - p->start : 0;
    double rate = passed > 0 ? (double)p->bytes_done * USEC_PER_SEC / (double)passed : 0;
    char done[PARSE_TEXT_SIZE], all[PARSE_TEXT_SIZE], speed[PARSE_TEXT_SIZE], bar[BAR_MAX + 1] = "";
    char text[PROGRESS_TEXT_SIZE - BAR_MAX - 8];
    unsigned used, left;

    used = (unsigned)snprintf(text, sizeof(text), "%zu/%zu  %s of %s  %s/s", p->files_done,
                              p->files, format_size(p->bytes_done, done), format_size(total, all),
                              format_size((uint64_t)rate, speed));
    left = p->width > used + 4 ? p->width - used - 4 : 0;
    if (left >= BAR_MIN && total > 0) {
        fill_bar(bar, left < BAR_MAX ? left : BAR_MAX, (double)p->bytes_done / (double)total);
        (void)snprintf(out, PROGRESS_TEXT_SIZE, "[%s] %s", bar, text);
    } else {
        (void)snprintf(out, PROGRESS_TEXT_SIZE, "%.*s", p->width > 0 ? (int)p->width - 1 : 0, text);
    }
    return out;
}

void progress_draw(struct progress *p, usec now)
{
    char text[PROGRESS_TEXT_SIZE];

    if (p->width == 0 || (p->shown && now - p->drawn < REDRAW))
        return;
    (void)fprintf(stderr, "\r\033[K%s", progress_text(p, now, text));
    (void)fflush(stderr);
    p->drawn = now;
    p->shown = true;
}

void progress_clear(struct progress *p)
{
    if (p->shown)
        (void)fputs("\r\033[K", stderr);
    p->shown = false;
}
