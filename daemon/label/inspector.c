/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/label/inspector.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/loop.h"
#include "lib/process/child.h"
#include "lib/process/sandbox.h"
#include "lib/record/context.h"

#define CONTEXT "--context="

/* A trace that waits. Both are owned. */
struct entry {
    char *key, *context; /* context: NULL if nothing is known */
};

struct inspector {
    sd_event *event;
    const struct inspector_handlers *handlers;
    void *userdata;
    char *command;
    struct child_limits limits;
    struct entry entries[INSPECTOR_QUEUE_MAX]; /* a ring of `n` from `first` on, the oldest first */
    size_t first, n;
    sd_event_source *wake; /* begins the next one from the event loop, not from inside a call */
    struct child *child;   /* NULL: none */
    char *key;             /* of the trace that the child reads */
    usec began;            /* CLOCK_MONOTONIC, like the child's timeout */
    bool cut;
};

static void tell(struct inspector *i, const char *key, struct inspection *result)
{
    if (result->end != INSPECTION_OK && result->why[0] == '\0')
        (void)snprintf(result->why, sizeof(result->why), "%s", inspection_end_name(result->end));
    i->handlers->finished(i->userdata, key, result);
    digest_done(&result->digest);
}

static void give_up(struct inspector *i, char *key, enum inspection_end end)
{
    struct inspection result = {.end = end};

    tell(i, key, &result);
    free(key);
}

static enum inspection_end end_of_signal(int number, struct inspection *ret)
{
    const char *name = sigabbrev_np(number);

    switch (number) {
    case SIGXCPU: return INSPECTION_TIMEOUT;
    case SIGKILL: return INSPECTION_MEMORY; /* not from us: the kernel's OOM killer */
    default: break;
    }
    if (name)
        (void)snprintf(ret->why, sizeof(ret->why), "signal SIG%s", name);
    else
        (void)snprintf(ret->why, sizeof(ret->why), "signal %d", number);
    return INSPECTION_CRASHED;
}

/* Without a label: there are numbers, but they rest on too little of the trace. */
static enum inspection_end end_of_digest(const struct digest *d)
{
    if (d->why[0] == '\0')
        return INSPECTION_OK;
    if (strcmp(d->why, inspection_end_name(INSPECTION_TOO_SHORT)) == 0)
        return INSPECTION_TOO_SHORT;
    return INSPECTION_PARTIAL;
}

/* For a trace that breaks off, the child prints a summary of what is there and exits with status 1
 * all the same. */
static enum inspection_end end_of_exit(const struct child_result *child, struct inspection *ret)
{
    int r;

    switch (child->status) {
    case SANDBOX_EXIT_FORMAT: return INSPECTION_FORMAT;
    case SANDBOX_EXIT_MEMORY: return INSPECTION_MEMORY;
    case SANDBOX_EXIT_UNCONFINED: return INSPECTION_UNAVAILABLE;
    case 0:
    case 1: break;
    default: /* it is another program, or a version that does not know these options */
        (void)snprintf(ret->why, sizeof(ret->why), "unavailable, exit status %d", child->status);
        return INSPECTION_UNAVAILABLE;
    }
    if (child->status == 1 && child->output->len == 0)
        return INSPECTION_UNREADABLE;
    r = digest_parse(buf_str(child->output), child->output->len, &ret->digest);
    if (r < 0)
        return r == -ENOMEM ? INSPECTION_MEMORY : INSPECTION_OUTPUT;
    return end_of_digest(&ret->digest);
}

static enum inspection_end judge(const struct child_result *child, struct inspection *ret)
{
    switch (child->end) {
    case CHILD_EXITED: return end_of_exit(child, ret);
    case CHILD_SIGNALLED: return end_of_signal(child->status, ret);
    case CHILD_TIMEOUT: return INSPECTION_TIMEOUT;
    case CHILD_ENDLESS: return INSPECTION_OUTPUT;
    case CHILD_UNREADABLE: return INSPECTION_MEMORY;
    }
    return INSPECTION_OUTPUT;
}

static void wake(struct inspector *i)
{
    (void)sd_event_source_set_enabled(i->wake, SD_EVENT_ONESHOT);
}

static void on_done(void *userdata, const struct child_result *child)
{
    struct inspector *i = userdata;
    _cleanup_free_ char *key = steal(&i->key);
    struct inspection result = {.took = loop_now(i->event, CLOCK_MONOTONIC) - i->began};

    i->child = NULL; /* the child frees itself */
    result.end = judge(child, &result);
    (void)snprintf(result.text, sizeof(result.text), "%s", child->errors);
    tell(i, key, &result);
    wake(i);
}

/* Runs the child with the trace as its standard input. 0 or a negative errno. */
static int start_child(struct inspector *i, const char *context, int fd)
{
    char option[sizeof(CONTEXT) + CONTEXT_JSON_MAX];
    const char *argv[] = {i->command, "summary", "--json", "--sandbox", "-", NULL, NULL};

    if (context && strlen(context) <= CONTEXT_JSON_MAX) {
        (void)snprintf(option, sizeof(option), CONTEXT "%s", context);
        argv[4] = option;
        argv[5] = "-";
    }
    return child_start(i->event, argv, fd, &i->limits, on_done, i, &i->child);
}

static void begin(struct inspector *i, struct entry entry)
{
    _cleanup_close_ int fd = i->handlers->open(i->userdata, entry.key);
    _cleanup_free_ char *context = entry.context;
    struct inspection result = {.end = INSPECTION_UNAVAILABLE};
    int r;

    if (fd < 0) {
        give_up(i, entry.key, INSPECTION_GONE);
        return;
    }
    i->began = loop_now(i->event, CLOCK_MONOTONIC);
    r = start_child(i, context, fd);
    if (r >= 0) {
        i->key = entry.key;
        return;
    }
    (void)snprintf(result.text, sizeof(result.text), "%s: %s", i->command, strerror(-r));
    tell(i, entry.key, &result);
    free(entry.key);
}

static struct entry take_newest(struct inspector *i)
{
    i->n--;
    return i->entries[(i->first + i->n) % INSPECTOR_QUEUE_MAX];
}

static struct entry take_oldest(struct inspector *i)
{
    struct entry entry = i->entries[i->first];

    i->first = (i->first + 1) % INSPECTOR_QUEUE_MAX;
    i->n--;
    return entry;
}

static void give_up_entry(struct inspector *i, struct entry entry, enum inspection_end end)
{
    free(entry.context);
    give_up(i, entry.key, end);
}

static int on_wake(sd_event_source *source, void *userdata)
{
    struct inspector *i = userdata;

    (void)source;
    if (!i->child && i->n > 0)
        begin(i, take_newest(i));
    if (!i->child && i->n > 0)
        wake(i);
    return 0;
}

int inspector_add(struct inspector *i, const char *key, const char *context)
{
    struct entry entry = {strdup(key), context ? strdup(context) : NULL};

    if (!entry.key || (context && !entry.context)) {
        free(entry.key);
        free(entry.context);
        return -ENOMEM;
    }
    if (i->cut) {
        give_up_entry(i, entry, INSPECTION_CUT);
        return 0;
    }
    if (i->n == INSPECTOR_QUEUE_MAX)
        give_up_entry(i, take_oldest(i), INSPECTION_QUEUE);
    i->entries[(i->first + i->n++) % INSPECTOR_QUEUE_MAX] = entry;
    if (!i->child)
        wake(i);
    return 0;
}

void inspector_cut(struct inspector *i)
{
    i->cut = true;
    if (i->child) {
        child_free(steal(&i->child));
        give_up(i, steal(&i->key), INSPECTION_CUT);
    }
    while (i->n > 0)
        give_up_entry(i, take_newest(i), INSPECTION_CUT);
}

bool inspector_idle(const struct inspector *i)
{
    return !i->child && i->n == 0;
}

int inspector_set(struct inspector *i, const struct inspector_settings *settings)
{
    char *command = strdup(settings->command);

    if (!command)
        return -ENOMEM;
    free(i->command);
    i->command = command;
    i->limits = (struct child_limits){.timeout = settings->timeout, .memory = settings->memory};
    return 0;
}

int inspector_new(sd_event *event, const struct inspector_handlers *handlers, void *userdata,
                  struct inspector **ret)
{
    struct inspector *i = calloc(1, sizeof(*i));
    int r;

    if (!i)
        return -ENOMEM;
    i->event = sd_event_ref(event);
    i->handlers = handlers;
    i->userdata = userdata;
    r = sd_event_add_defer(event, &i->wake, on_wake, i);
    if (r >= 0)
        r = sd_event_source_set_enabled(i->wake, SD_EVENT_OFF);
    if (r < 0) {
        inspector_free(i);
        return r;
    }
    *ret = i;
    return 0;
}

void inspector_free(struct inspector *i)
{
    if (!i)
        return;
    child_free(i->child);
    free(i->key);
    while (i->n > 0) {
        struct entry entry = take_oldest(i);

        free(entry.key);
        free(entry.context);
    }
    (void)sd_event_source_disable_unref(i->wake);
    (void)sd_event_unref(i->event);
    free(i->command);
    free(i);
}
