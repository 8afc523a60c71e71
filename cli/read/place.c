/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "cli/common/print.h"
#include "cli/read/place.h"

/* "main.go:12" of a long path: the last two components. */
void place_frame(FILE *out, const struct summary_frame *f)
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
    (void)print_plain(out, f->func, 200);
    (void)fputs("  ", out);
    (void)print_plain(out, from, 100);
    (void)fprintf(out, ":%" PRIu64, f->line);
}

const char *place_word(const char *func)
{
    static const char *const words[][2] = {
        {"runtime.chanrecv", "chan receive"},
        {"runtime.chansend", "chan send"},
        {"runtime.selectgo", "select"},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strncmp(func, words[i][0], strlen(words[i][0])) == 0)
            return words[i][1];
    }
    return func;
}

static bool has_own(const struct summary_own *own)
{
    return own->at.func && *own->at.func;
}

void place_print(FILE *out, const struct summary_own *own, const struct summary_frame *at,
                 bool utf8)
{
    if (!has_own(own)) {
        place_frame(out, at);
        return;
    }
    place_frame(out, &own->at);
    if (!own->call || !*own->call)
        return;
    (void)fputs(utf8 ? "  ← " : "  <- ", out);
    (void)print_plain(out, place_word(own->call), 200);
}

bool place_frame_equal(const struct summary_frame *a, const struct summary_frame *b)
{
    return a->line == b->line && strcmp(a->func, b->func) == 0 && strcmp(a->file, b->file) == 0;
}

bool place_equal(const struct summary_own *own_a, const struct summary_frame *at_a,
                 const struct summary_own *own_b, const struct summary_frame *at_b)
{
    const char *call_a = own_a->call ? place_word(own_a->call) : "",
               *call_b = own_b->call ? place_word(own_b->call) : "";

    if (has_own(own_a) != has_own(own_b))
        return false;
    if (!has_own(own_a))
        return place_frame_equal(at_a, at_b);
    return place_frame_equal(&own_a->at, &own_b->at) && strcmp(call_a, call_b) == 0;
}

void place_own_json(struct jsonwriter *w, const struct summary_own *own)
{
    if (!has_own(own))
        return;
    jsonwriter_object(w, "own");
    jsonwriter_text(w, "func", own->at.func);
    jsonwriter_text(w, "file", own->at.file);
    jsonwriter_count(w, "line", own->at.line);
    jsonwriter_end(w);
}
