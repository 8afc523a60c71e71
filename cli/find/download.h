/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One object out of the store, asked for again a few times while the store is in passing trouble. A
 * person waits: the pauses are short and there is an end to them.
 */

#include <systemd/sd-event.h>

#include "lib/store/interface/store.h"

#define DOWNLOAD_TRIES 5

struct download;

struct download_handlers {
    int (*begin)(void *userdata); /* before each try: what came so far does not count; as `body` */
    store_body_fn body;
    store_done_fn done; /* once; the download is gone when it returns */
};

/* The key is borrowed until the end. 0 or -ENOMEM; done is never called from here. */
int download_start(sd_event *event, struct store *store, const char *key,
                   const struct download_handlers *handlers, void *userdata, struct download **ret);

/* NULL is fine. */
void download_cancel(struct download *d);

/* The pause after so many tries, or USEC_NEVER when there shall be no more. */
usec download_pause(const struct store_result *result, unsigned tries, uint64_t random);
