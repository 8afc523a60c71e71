/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Profiles of kept traces, made when somebody asks: by `contrace pprof` in a child process
 * (child.h), one at a time, in the order of the asking. The last ones are remembered, so that a
 * trace that is asked for again and again is read once. It knows traces by their keys and does not
 * open them itself.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "daemon/extract/extraction.h"

#define EXTRACTOR_WAITING_MAX 64         /* who wait at the same time */
#define EXTRACTOR_PROFILE_MAX (4u << 20) /* bytes of a profile */

struct extractor;
struct extractor_wait;

/* A descriptor of a kept trace, now the extractor's, or a negative errno. */
typedef int (*extractor_open_fn)(void *userdata, const char *key);

/* Called once, on the event loop, never from inside extractor_ask. The result is valid during the
 * call. */
typedef void (*extractor_done_fn)(void *userdata, const struct extraction *result);

struct extractor_settings {
    const char *command; /* a path; borrowed during the call */
    usec timeout;
    uint64_t memory; /* bytes that the child may use, besides its mapping of the trace */
};

/* SIGCHLD must be blocked in all threads. 0 or a negative errno. */
int extractor_new(sd_event *event, extractor_open_fn open, void *userdata, struct extractor **ret);

/* Kills the child; nobody is told. NULL is fine. */
void extractor_free(struct extractor *x);

/* To be called before the first extractor_ask. A later call applies to children that are started
 * after it. 0 or -ENOMEM. */
int extractor_set(struct extractor *x, const struct extractor_settings *settings);

/* Asks for a profile. 0; -EBUSY when too many wait; -ESHUTDOWN after extractor_cut; -ENOMEM. */
int extractor_ask(struct extractor *x, const char *key, enum extraction_view view,
                  extractor_done_fn fn, void *userdata, struct extractor_wait **ret);

/* Its function is not called any more. */
void extractor_forget(struct extractor_wait *wait);

/* Kills the child and tells all who wait EXTRACTION_CUT. */
void extractor_cut(struct extractor *x);

/* No child runs. */
bool extractor_idle(const struct extractor *x);
