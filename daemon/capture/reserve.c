/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/reserve.h"

#include <errno.h>
#include <openssl/evp.h>

#define SOURCES_DUE 256 /* at once */

static int never(sd_event_source *s, void *userdata)
{
    (void)s;
    (void)userdata;
    return 0;
}

/*
 * sd-event keeps a list of the sources that are due. It grows when more are due than ever before,
 * and a source that finds no place in it is not called. So make it grow now; it never shrinks.
 */
static int take_places(sd_event *event)
{
    sd_event_source *sources[SOURCES_DUE] = {0};
    int r = 0;

    for (size_t i = 0; r >= 0 && i < SOURCES_DUE; i++)
        r = sd_event_add_defer(event, &sources[i], never, NULL);
    for (size_t i = 0; i < SOURCES_DUE; i++)
        sd_event_source_disable_unref(sources[i]);
    return r < 0 ? r : 0;
}

/* OpenSSL looks up an algorithm at its first use, and crashes if memory is short then. */
static int take_hash(void)
{
    EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);

    EVP_MD_free(sha256);
    return sha256 ? 0 : -ENOMEM;
}

int reserve_take(sd_event *event)
{
    int r = take_places(event);

    return r < 0 ? r : take_hash();
}
