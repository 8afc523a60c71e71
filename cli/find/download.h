/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Downloads one object of the store, and tries again a few times after temporary errors. As a
 * person waits, pauses are short and few.
 */

#include <systemd/sd-event.h>

#include "lib/store/interface/store.h"

#define DOWNLOAD_TRIES 5

struct download;

struct download_handlers {
    /* Called before each try: drop what came before. Its result is as `body`'s. */
    int (*begin)(void *userdata);
    store_body_fn body;
    store_done_fn done; /* called once; the download is freed when it returns */
};

/* The key is borrowed until the end. 0 or -ENOMEM; done is never called from here. */
int download_start(sd_event *event, struct store *store, const char *key,
                   const struct download_handlers *handlers, void *userdata, struct download **ret);

/* NULL is fine. */
void download_cancel(struct download *d);

/* The pause after this many tries, or USEC_NEVER: give up. */
usec download_pause(const struct store_result *result, unsigned tries, uint64_t random);
