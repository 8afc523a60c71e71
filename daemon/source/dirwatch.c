/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/source/dirwatch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#define WATCHED (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE)

struct dirwatch_item {
    char *directory;
    sd_event_source *source;
};

static int on_inotify(sd_event_source *s, const struct inotify_event *event, void *userdata)
{
    const struct dirwatch *w = userdata;

    (void)s;
    (void)event;
    w->fn(w->userdata);
    return 0;
}

void dirwatch_init(struct dirwatch *w, sd_event *event, void (*fn)(void *userdata), void *userdata)
{
    *w = (struct dirwatch){.event = event, .fn = fn, .userdata = userdata};
}

static bool is_watched(const struct dirwatch *w, const char *directory)
{
    for (size_t i = 0; i < w->n; i++) {
        if (strcmp(w->items[i].directory, directory) == 0)
            return true;
    }
    return false;
}

int dirwatch_add(struct dirwatch *w, const char *directory)
{
    struct dirwatch_item *items, item = {0};
    int r;

    if (is_watched(w, directory))
        return 0;
    items = reallocarray(w->items, w->n + 1, sizeof(*items));
    if (!items)
        return -ENOMEM;
    w->items = items;
    item.directory = strdup(directory);
    if (!item.directory)
        return -ENOMEM;
    r = sd_event_add_inotify(w->event, &item.source, directory, WATCHED, on_inotify, w);
    if (r < 0) {
        free(item.directory);
        return r;
    }
    items[w->n++] = item;
    return 0;
}

void dirwatch_clear(struct dirwatch *w)
{
    for (size_t i = 0; i < w->n; i++) {
        sd_event_source_disable_unref(w->items[i].source);
        free(w->items[i].directory);
    }
    free(w->items);
    w->items = NULL;
    w->n = 0;
}
