/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/read/alive.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/common/quantity.h"
#include "cli/common/screen.h"
#include "cli/read/tracefile.h"

static int fail(const struct alive_view *view, const struct failure *f)
{
    return failure_tell(view->file, view->json ? ALIVE_SCHEMA : 0, f);
}

/* The trace is over before the moment. */
static int too_late(const struct alive_view *view, int64_t window)
{
    struct failure f = failure_of(-ERANGE);
    char text[QUANTITY_SIZE];

    (void)snprintf(f.text, sizeof(f.text), "the trace lasts no longer than %s; --at=end is its end",
                   quantity_duration(window, view->utf8, text));
    return fail(view, &f);
}

static int print(const struct alive_result *a, const struct alive_view *view)
{
    struct failure failure;
    struct buf json;
    int r;

    if (!view->json) {
        alive_text(stdout, a, view);
        return screen_finish();
    }
    buf_init(&json, ALIVE_JSON_MAX);
    r = alive_json(a, view, &json);
    if (r == 0)
        (void)puts(buf_str(&json));
    buf_done(&json);
    if (r == 0)
        return screen_finish();
    failure = failure_of_json(r);
    return fail(view, &failure);
}

static int read_trace(struct alive_view *view, struct gotrace *trace, struct alive *a)
{
    struct alive_result result;
    struct failure failure;
    int r = alive_run(a, trace), shown;

    result = alive_result(a);
    view->version = gotrace_version(trace);
    if (r < 0) {
        failure = failure_of_trace(trace, r);
        if (gotrace_last_error(trace).code != r || (r != -ENODATA && r != -EBADMSG) ||
            result.n == 0)
            return fail(view, &failure);
        failure_complain(view->file, &failure, "; what came before counts");
        view->failure = &failure;
    }
    shown = result.reached ? print(&result, view) : too_late(view, result.window);
    return shown < 0 ? shown : r < 0 ? 1 : 0;
}

int alive_show(struct alive_view *view)
{
    _cleanup_close_ int fd = tracefile_open(view->file);
    struct gotrace *trace = NULL;
    struct alive *a = NULL;
    struct failure failure;
    int r = fd < 0 ? fd : gotrace_open_mapped(NULL, fd, &trace);

    if (r == 0)
        r = alive_new(view->at, &a);
    if (r < 0) {
        failure = failure_of(r);
        r = fail(view, &failure);
    } else {
        gotrace_spill(trace, tracefile_unnamed, NULL);
        r = read_trace(view, trace, a);
    }
    alive_free(a);
    gotrace_close(trace);
    return r;
}
