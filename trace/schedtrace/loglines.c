/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/schedtrace/loglines.h"

#include <string.h>

void loglines_init(struct loglines *l)
{
    *l = (struct loglines){0};
    buf_init(&l->kept, LOGLINES_MAX);
}

void loglines_done(struct loglines *l)
{
    buf_done(&l->kept);
}

static int keep(struct loglines *l, const char *data, size_t n)
{
    size_t room = LOGLINES_MAX - l->kept.len;

    if (!l->open) {
        l->open = true;
        l->number++;
    }
    if (n > room) {
        l->cut += !l->overlong;
        l->overlong = true;
        n = room;
    }
    return n > 0 ? buf_add(&l->kept, data, n) : 0;
}

static int end(struct loglines *l, loglines_fn on_line, void *userdata)
{
    struct logline line = {buf_str(&l->kept), l->kept.len, l->number};
    int r;

    if (line.n > 0 && line.text[line.n - 1] == '\r')
        l->kept.data[--line.n] = '\0';
    r = on_line(userdata, &line);
    buf_clear(&l->kept);
    l->open = l->overlong = false;
    return r < 0 ? r : 0;
}

int loglines_feed(struct loglines *l, const char *data, size_t n, loglines_fn on_line,
                  void *userdata)
{
    int r = 0;

    while (r == 0 && n > 0) {
        const char *newline = memchr(data, '\n', n);
        size_t part = newline ? (size_t)(newline - data) : n;

        r = keep(l, data, part);
        if (r == 0 && newline)
            r = end(l, on_line, userdata);
        data += part + (newline != NULL);
        n -= part + (newline != NULL);
    }
    return r;
}

int loglines_finish(struct loglines *l, loglines_fn on_line, void *userdata)
{
    return l->open ? end(l, on_line, userdata) : 0;
}
