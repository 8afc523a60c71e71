/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Watches directories, by inotify, for files that are written, appear or disappear.
 */

#include <stddef.h>
#include <systemd/sd-event.h>

struct dirwatch {
    sd_event *event; /* borrowed */
    void (*fn)(void *userdata);
    void *userdata;
    struct dirwatch_item *items;
    size_t n;
};

/* `fn` is called on the event loop for each change. */
void dirwatch_init(struct dirwatch *w, sd_event *event, void (*fn)(void *userdata), void *userdata);

/* Adds a directory; it may be watched already. 0 or a negative errno: -ENOENT, -EMFILE, … */
int dirwatch_add(struct dirwatch *w, const char *directory);

/* Stops watching all directories. */
void dirwatch_clear(struct dirwatch *w);
