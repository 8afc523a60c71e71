/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/extract/extractor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "daemon/extract/remembered.h"

/* Somebody who waits; the first in the list is served first. */
struct extractor_wait {
    struct extractor *extractor;
    struct extractor_wait *next;
    char *key;
    enum extraction_view view;
    extractor_done_fn fn;
    void *userdata;
};

struct extractor {
    sd_event *event;
    struct views *views;
    struct extractor_wait *waits;
    size_t n;
    sd_event_source *wake; /* goes on from the event loop, not from inside a call */
    struct views_job *job; /* NULL: none */
    char *key;             /* of its trace */
    enum extraction_view view;
    struct remembered remembered;
    bool cut;
};

static void wake(struct extractor *x)
{
    (void)sd_event_source_set_enabled(x->wake, SD_EVENT_ONESHOT);
}

static void free_wait(struct extractor_wait *wait)
{
    free(wait->key);
    free(wait);
}

static bool is_for(const struct extractor_wait *wait, const char *key, enum extraction_view view)
{
    return wait->view == view && strcmp(wait->key, key) == 0;
}

/* Takes the first who waits for this out of the list; NULL: nobody does. */
static struct extractor_wait *take(struct extractor *x, const char *key, enum extraction_view view)
{
    for (struct extractor_wait **link = &x->waits; *link; link = &(*link)->next) {
        struct extractor_wait *wait = *link;

        if (!is_for(wait, key, view))
            continue;
        *link = wait->next;
        x->n--;
        return wait;
    }
    return NULL;
}

/* Whoever is told may ask again or forget others in that call. */
static void tell_all(struct extractor *x, const char *key, enum extraction_view view,
                     const struct extraction *result)
{
    struct extractor_wait *wait;

    while ((wait = take(x, key, view))) {
        wait->fn(wait->userdata, result);
        free_wait(wait);
    }
}

static const enum extraction_end ends[VIEWS_ENDS] = {
    [VIEWS_OK] = EXTRACTION_OK,
    [VIEWS_UNREADABLE] = EXTRACTION_UNREADABLE,
    [VIEWS_FORMAT] = EXTRACTION_FORMAT,
    [VIEWS_TIMEOUT] = EXTRACTION_TIMEOUT,
    [VIEWS_MEMORY] = EXTRACTION_MEMORY,
    [VIEWS_LONG] = EXTRACTION_LONG,
    [VIEWS_NO_ROOM] = EXTRACTION_UNAVAILABLE,
    [VIEWS_CRASHED] = EXTRACTION_UNREADABLE,
    [VIEWS_UNAVAILABLE] = EXTRACTION_UNAVAILABLE,
    [VIEWS_CUT] = EXTRACTION_CUT,
};

/* Takes what the view's file has into memory. The caller frees it. */
static void *read_file(const struct views_result *made, struct extraction *ret)
{
    uint8_t *data = NULL;
    size_t n = 0;

    if (made->size <= EXTRACTOR_PROFILE_MAX)
        data = malloc(made->size);
    else
        ret->end = EXTRACTION_LONG;
    while (data && n < made->size) {
        ssize_t more = pread(made->fd, data + n, made->size - n, (off_t)n);

        if (more <= 0 && errno != EINTR)
            break;
        n += more > 0 ? (size_t)more : 0;
    }
    if (n == made->size) {
        ret->data = data;
        ret->n = n;
    } else if (ret->end == EXTRACTION_OK) {
        ret->end = EXTRACTION_CUT;
    }
    return data;
}

/* What is no matter of the trace may be better the next time. */
static bool lasts(enum extraction_end end)
{
    return end != EXTRACTION_GONE && end != EXTRACTION_UNAVAILABLE && end != EXTRACTION_CUT;
}

static void on_done(void *userdata, const struct views_result *made)
{
    struct extractor *x = userdata;
    _cleanup_free_ char *key = steal(&x->key);
    _cleanup_free_ void *data = NULL;
    struct extraction result = {.end = ends[made->end], .text = made->text};

    x->job = NULL;
    if (made->end == VIEWS_OK) {
        data = read_file(made, &result);
        (void)close_fd(made->fd);
    }
    if (lasts(result.end))
        remembered_add(&x->remembered, key, x->view, &result);
    tell_all(x, key, x->view, &result);
    wake(x);
}

/* Tells the first who waits, who is there. */
static void tell_first(struct extractor *x, const struct extraction *result)
{
    struct extractor_wait *first = x->waits;

    x->waits = first->next;
    x->n--;
    first->fn(first->userdata, result);
    free_wait(first);
}

/* Has a view made for the first who waits, or tells why not. */
static void begin(struct extractor *x)
{
    _cleanup_free_ char *key = strdup(x->waits->key);
    enum extraction_view view = x->waits->view;
    struct extraction result = {.end = EXTRACTION_CUT, .text = ""};
    int r;

    if (!key) {
        tell_first(x, &result);
        return;
    }
    r = views_make(x->views, key, view_named(extraction_view_name(view)), on_done, x, &x->job);
    if (r >= 0) {
        x->key = steal(&key);
        x->view = view;
        return;
    }
    if (r == -ENOENT)
        result.end = EXTRACTION_GONE;
    result.text = strerror(-r);
    tell_all(x, key, view, &result);
}

/* True: the first who waits was told at once. */
static bool answer_first(struct extractor *x)
{
    struct extraction result;

    if (!remembered_find(&x->remembered, x->waits->key, x->waits->view, &result))
        return false;
    tell_first(x, &result);
    return true;
}

static int on_wake(sd_event_source *source, void *userdata)
{
    struct extractor *x = userdata;

    (void)source;
    while (!x->job && x->waits) {
        if (!answer_first(x))
            begin(x);
    }
    return 0;
}

int extractor_ask(struct extractor *x, const char *key, enum extraction_view view,
                  extractor_done_fn fn, void *userdata, struct extractor_wait **ret)
{
    struct extractor_wait *wait, **link = &x->waits;

    if (x->cut)
        return -ESHUTDOWN;
    if (x->n >= EXTRACTOR_WAITING_MAX)
        return -EBUSY;
    wait = calloc(1, sizeof(*wait));
    if (wait)
        wait->key = strdup(key);
    if (!wait || !wait->key) {
        free(wait);
        return -ENOMEM;
    }
    wait->extractor = x;
    wait->view = view;
    wait->fn = fn;
    wait->userdata = userdata;
    while (*link)
        link = &(*link)->next;
    *link = wait;
    x->n++;
    wake(x);
    *ret = wait;
    return 0;
}

void extractor_forget(struct extractor_wait *wait)
{
    struct extractor *x = wait->extractor;
    struct extractor_wait **link = &x->waits;

    while (*link && *link != wait)
        link = &(*link)->next;
    if (!*link)
        return;
    *link = wait->next;
    x->n--;
    free_wait(wait);
}

static void forget_view(struct extractor *x)
{
    if (x->job)
        views_forget(steal(&x->job));
    free(steal(&x->key));
}

void extractor_cut(struct extractor *x)
{
    x->cut = true;
    forget_view(x);
    while (x->waits)
        tell_first(x, &(struct extraction){.end = EXTRACTION_CUT, .text = ""});
}

bool extractor_idle(const struct extractor *x)
{
    return !x->job;
}

int extractor_new(sd_event *event, struct views *views, struct extractor **ret)
{
    struct extractor *x = calloc(1, sizeof(*x));
    int r;

    if (!x)
        return -ENOMEM;
    x->event = sd_event_ref(event);
    x->views = views;
    r = sd_event_add_defer(event, &x->wake, on_wake, x);
    if (r >= 0)
        r = sd_event_source_set_enabled(x->wake, SD_EVENT_OFF);
    if (r < 0) {
        extractor_free(x);
        return r;
    }
    *ret = x;
    return 0;
}

void extractor_free(struct extractor *x)
{
    if (!x)
        return;
    forget_view(x);
    while (x->waits) {
        struct extractor_wait *wait = x->waits;

        x->waits = wait->next;
        free_wait(wait);
    }
    remembered_done(&x->remembered);
    (void)sd_event_source_disable_unref(x->wake);
    (void)sd_event_unref(x->event);
    free(x);
}
