/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A store that keeps nothing and answers as a test's script says. Puts are answered from the event
 * loop, in order, or wait until the test releases them. It checks that each put's hash is that of
 * its bytes, and that no key is under way twice.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "lib/store/interface/store_kind.h"

struct fake_put {
    char *key;
    uint64_t size;
    char *meta; /* "name=value " for each, in order */
    enum store_end end;
    bool ended;
};

struct fake_store;

/* Writes the result of a put; *ret is STORE_DONE at first. `nth`: how often this key was put
 * before. */
typedef void (*fake_answer_fn)(struct fake_store *f, const struct store_object *object,
                               unsigned nth, struct store_result *ret);

struct fake_call;

struct fake_store {
    struct store store;
    sd_event_source *wake;
    fake_answer_fn answer; /* NULL: every put succeeds */
    bool hold;             /* puts are answered only by fake_release */
    bool no_memory;        /* puts fail with -ENOMEM */
    struct fake_put *puts; /* all that were begun */
    size_t n_puts, cap;
    struct fake_call *first, *last;
    unsigned under_way, most; /* now, and ever */
    unsigned cancelled;
    unsigned *freed; /* counts stores that were freed; may be NULL */
};

struct fake_store *fake_store_new(sd_event *event);

/* Answers the oldest call that waits. False if none does. */
bool fake_release(struct fake_store *f);

/* Whether a call waits for its answer. */
bool fake_waiting(const struct fake_store *f);

/* How many puts there were of keys with this suffix. */
unsigned fake_count(const struct fake_store *f, const char *suffix);
void fake_forget(struct fake_store *f);
