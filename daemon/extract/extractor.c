/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/extract/extractor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "daemon/extract/remembered.h"
#include "lib/process/child.h"
#include "lib/process/sandbox.h"

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
    extractor_open_fn open;
    void *userdata;
    char *command;
    struct child_limits limits;
    struct extractor_wait *waits;
    size_t n;
    sd_event_source *wake; /* goes on from the event loop, not from inside a call */
    struct child *child;   /* NULL: none */
    char *key;             /* of the trace that the child reads */
    enum extraction_view view;
    struct remembered remembered;
    bool cut;
};

static const char *const options[] = {
    [EXTRACTION_SCHED] = "--sched",
    [EXTRACTION_SYNC] = "--sync",
    [EXTRACTION_NET] = "--net",
    [EXTRACTION_SYSCALL] = "--syscall",
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

/* For a trace that breaks off, the child prints the profile of what is there and exits with status 1
 * all the same. */
static enum extraction_end end_of_exit(const struct child_result *child)
{
    switch (child->status) {
    case SANDBOX_EXIT_FORMAT: return EXTRACTION_FORMAT;
    case SANDBOX_EXIT_MEMORY: return EXTRACTION_MEMORY;
    case 0:
    case 1: return child->output->len > 0 ? EXTRACTION_OK : EXTRACTION_UNREADABLE;
    default: return EXTRACTION_UNAVAILABLE; /* unconfined, or another program */
    }
}

static enum extraction_end end_of_signal(int number)
{
    switch (number) {
    case SIGXCPU: return EXTRACTION_TIMEOUT;
    case SIGKILL: return EXTRACTION_MEMORY; /* not from us: the kernel's OOM killer */
    default: return EXTRACTION_UNREADABLE;
    }
}

static enum extraction_end judge(const struct child_result *child)
{
    switch (child->end) {
    case CHILD_EXITED: return end_of_exit(child);
    case CHILD_SIGNALLED: return end_of_signal(child->status);
    case CHILD_TIMEOUT: return EXTRACTION_TIMEOUT;
    case CHILD_ENDLESS: return EXTRACTION_LONG;
    case CHILD_UNREADABLE: break;
    }
    return EXTRACTION_CUT;
}

/* What is no matter of the trace may be better the next time. */
static bool lasts(enum extraction_end end)
{
    return end != EXTRACTION_GONE && end != EXTRACTION_UNAVAILABLE && end != EXTRACTION_CUT;
}

static void on_done(void *userdata, const struct child_result *child)
{
    struct extractor *x = userdata;
    _cleanup_free_ char *key = steal(&x->key);
    struct extraction result = {.end = judge(child), .text = child->errors};

    x->child = NULL; /* the child frees itself */
    if (result.end == EXTRACTION_OK) {
        result.data = child->output->data;
        result.n = child->output->len;
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

static int start_child(struct extractor *x, const char *key, enum extraction_view view)
{
    _cleanup_close_ int fd = x->open(x->userdata, key);
    const char *const argv[] = {x->command,  "pprof", options[view], "--labels",
                                "--sandbox", "-",     NULL};

    if (fd < 0)
        return -ESTALE;
    return child_start(x->event, argv, fd, &x->limits, on_done, x, &x->child);
}

/* Starts the child for the first who waits, or tells why not. */
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
    r = start_child(x, key, view);
    if (r >= 0) {
        x->key = steal(&key);
        x->view = view;
        return;
    }
    result.end = r == -ESTALE ? EXTRACTION_GONE : EXTRACTION_UNAVAILABLE;
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
    while (!x->child && x->waits) {
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

static void kill_child(struct extractor *x)
{
    child_free(steal(&x->child));
    free(steal(&x->key));
}

void extractor_cut(struct extractor *x)
{
    x->cut = true;
    kill_child(x);
    while (x->waits)
        tell_first(x, &(struct extraction){.end = EXTRACTION_CUT, .text = ""});
}

bool extractor_idle(const struct extractor *x)
{
    return !x->child;
}

int extractor_set(struct extractor *x, const struct extractor_settings *settings)
{
    char *command = strdup(settings->command);

    if (!command)
        return -ENOMEM;
    free(x->command);
    x->command = command;
    x->limits = (struct child_limits){
        .timeout = settings->timeout,
        .memory = settings->memory,
        .output = EXTRACTOR_PROFILE_MAX,
    };
    return 0;
}

int extractor_new(sd_event *event, extractor_open_fn open, void *userdata, struct extractor **ret)
{
    struct extractor *x = calloc(1, sizeof(*x));
    int r;

    if (!x)
        return -ENOMEM;
    x->event = sd_event_ref(event);
    x->open = open;
    x->userdata = userdata;
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
    kill_child(x);
    while (x->waits) {
        struct extractor_wait *wait = x->waits;

        x->waits = wait->next;
        free_wait(wait);
    }
    remembered_done(&x->remembered);
    (void)sd_event_source_disable_unref(x->wake);
    (void)sd_event_unref(x->event);
    free(x->command);
    free(x);
}
