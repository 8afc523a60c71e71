/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/read/failure.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/common/screen.h"
#include "cli/read/tracefile.h"

#define JSON_MAX (64u << 10) /* a path of which every byte is escaped */

struct failure failure_of(int code)
{
    struct failure f = {.code = code};

    (void)snprintf(f.text, sizeof(f.text), "%s", strerror(-code));
    return f;
}

struct failure failure_of_json(int code)
{
    struct failure f = failure_of(code);

    if (code == -E2BIG)
        (void)strcpy(f.text, "more JSON than there is room for");
    return f;
}

struct failure failure_of_trace(const struct gotrace *trace, int code)
{
    struct gotrace_error error = gotrace_last_error(trace);
    struct failure f = failure_of(code);

    if (error.code == code && error.text && *error.text) {
        f.placed = true;
        f.offset = error.offset;
        (void)snprintf(f.text, sizeof(f.text), "%s", error.text);
    } else if (code == -ENODATA) {
        (void)strcpy(f.text, "nothing follows the trace's header");
    }
    return f;
}

void failure_complain(const char *path, const struct failure *f, const char *more)
{
    char place[40] = "";

    if (f->placed)
        (void)snprintf(place, sizeof(place), " (offset %" PRIu64 ")", f->offset);
    complain("%s: %s%s%s", tracefile_called(path), f->text, place, more);
}

int failure_tell(const char *path, int schema, const struct failure *f)
{
    failure_complain(path, f, "");
    if (schema != 0 && failure_print(path, schema, f) == 0)
        (void)screen_finish();
    return f->code == -EINVAL ? -EIO : f->code;
}

void failure_write(struct jsonwriter *w, const struct failure *f)
{
    if (!f) {
        jsonwriter_null(w, "error");
        return;
    }
    jsonwriter_object(w, "error");
    jsonwriter_integer(w, "errno", -f->code);
    if (f->placed)
        jsonwriter_count(w, "offset", f->offset);
    jsonwriter_text(w, "text", f->text);
    jsonwriter_end(w);
}

int failure_print(const char *path, int schema, const struct failure *f)
{
    struct jsonwriter w;
    struct buf line;
    int r;

    buf_init(&line, JSON_MAX);
    jsonwriter_init(&w, &line, (struct jsonwriter_style){.digits = 15, .ascii = true});
    jsonwriter_object(&w, NULL);
    jsonwriter_integer(&w, "schema", schema);
    jsonwriter_text(&w, "file", path);
    jsonwriter_bool(&w, "complete", false);
    failure_write(&w, f);
    jsonwriter_end(&w);
    r = jsonwriter_finish(&w);
    if (r == 0)
        (void)puts(buf_str(&line));
    else
        complain("%s: not enough memory", tracefile_called(path));
    buf_done(&line);
    return r;
}
