/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "daemon/api/api_state.h"
#include "daemon/artifact/artifacts.h"
#include "daemon/view/views.h"

#define NAMES_SIZE 256

/* A call that waits for its view. */
struct watcher {
    struct admin_call *call;
    const struct view *view;
    struct views_job *job;
    char name[NAME_KEY_MAX]; /* of the file that it becomes */
};

static const unsigned statuses[VIEWS_ENDS] = {
    [VIEWS_OK] = 200,      [VIEWS_UNREADABLE] = 422, [VIEWS_FORMAT] = 422,
    [VIEWS_TIMEOUT] = 422, [VIEWS_MEMORY] = 422,     [VIEWS_LONG] = 422,
    [VIEWS_NO_ROOM] = 503, [VIEWS_CRASHED] = 500,    [VIEWS_UNAVAILABLE] = 500,
    [VIEWS_CUT] = 503,
};

static void on_done(void *userdata, const struct views_result *result)
{
    struct watcher *w = userdata;
    struct admin_call *call = w->call;
    const char *more = result->text;

    if (result->end == VIEWS_OK)
        admin_reply_file(call, w->view->content_type, w->view->suffix ? w->name : NULL, result->fd,
                         result->size);
    else
        admin_fail(call, statuses[result->end], "no view `%s`: %s%s%s", w->view->name,
                   views_end_text(result->end), *more ? ": " : "", more);
    free(w);
}

static void on_gone(void *userdata, struct admin_call *call)
{
    struct watcher *w = userdata;

    (void)call;
    views_forget(w->job);
    free(w);
}

/* The key with '-' for '/', and the view's suffix for ".trace". */
static void name_file(struct watcher *w, const char *key)
{
    size_t n = strlen(key) - strlen(".trace");

    (void)snprintf(w->name, sizeof(w->name), "%.*s%s", (int)n, key,
                   w->view->suffix ? w->view->suffix : "");
    for (char *p = w->name; *p; p++) {
        if (*p == '/')
            *p = '-';
    }
}

static void refuse(struct admin_call *call, int r)
{
    if (r == -ENOENT)
        admin_fail(call, 404, "no such trace is kept here; GET /api/v1/captures tells which are");
    else if (r == -ENOMEM)
        admin_no_memory(call);
    else if (r == -EBUSY)
        admin_fail(call, 503, "%d views are being made already: ask again in a while", VIEWS_MAX);
    else
        admin_fail(call, 503, "no view can be made now: %s", strerror(-r));
}

void api_reply_view(const struct api *a, struct admin_call *call, const char *key,
                    const struct view *view)
{
    struct watcher *w = calloc(1, sizeof(*w));
    int r = -ENOMEM;

    if (w) {
        w->call = call;
        w->view = view;
        name_file(w, key);
        r = views_make(a->context.views, key, view, on_done, w, &w->job);
    }
    if (r == 0) {
        admin_call_on_gone(call, on_gone, w);
        return;
    }
    free(w);
    refuse(call, r);
}

void api_get_view(const struct api *a, struct admin_call *call, const char *key, const char *name)
{
    const struct artifact *artifact = artifacts_of_kind(name_kind(key));
    const struct view *view = view_named(name);
    char memory[NAMES_SIZE];
    struct buf names;

    if (!artifact || !artifact->inspected) {
        admin_fail(call, 400,
                   "views are made of traces and flight recordings, and this is neither");
        return;
    }
    if (view) {
        api_reply_view(a, call, key, view);
        return;
    }
    buf_over(&names, memory, sizeof(memory));
    for (size_t i = 0; (view = view_at(i)); i++)
        (void)buf_addf(&names, "%s%s", i > 0 ? ", " : "", view->name);
    admin_fail(call, 400, "there is no such `view`; there is %s", buf_str(&names));
}
