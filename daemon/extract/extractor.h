/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Profiles of kept traces, made when somebody asks: views (views.h), one at a time, in the order of
 * the asking. The last ones are remembered, so that a trace that is asked for again and again is
 * read once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/extract/extraction.h"
#include "daemon/view/views.h"

#define EXTRACTOR_WAITING_MAX 64         /* who wait at the same time */
#define EXTRACTOR_PROFILE_MAX (4u << 20) /* bytes of a profile */

struct extractor;
struct extractor_wait;

/* Called once, on the event loop, never from inside extractor_ask. The result is valid during the
 * call. */
typedef void (*extractor_done_fn)(void *userdata, const struct extraction *result);

/* The views are borrowed. 0 or a negative errno. */
int extractor_new(sd_event *event, struct views *views, struct extractor **ret);

/* Forgets its view; nobody is told. NULL is fine. */
void extractor_free(struct extractor *x);

/* Asks for a profile. 0; -EBUSY when too many wait; -ESHUTDOWN after extractor_cut; -ENOMEM. */
int extractor_ask(struct extractor *x, const char *key, enum extraction_view view,
                  extractor_done_fn fn, void *userdata, struct extractor_wait **ret);

/* Its function is not called any more. */
void extractor_forget(struct extractor_wait *wait);

/* Forgets its view and tells all who wait EXTRACTION_CUT. */
void extractor_cut(struct extractor *x);

/* No view is made for it. */
bool extractor_idle(const struct extractor *x);
