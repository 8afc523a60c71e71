/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Objects that are no traces. They use the store and wait with it, but tell the breaker nothing: a
 * store may refuse them alone.
 */

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/loop.h"
#include "daemon/ship/uploader_state.h"

bool uploader_probing(const struct uploader *u)
{
    return u->write_probe.call != NULL;
}

bool uploader_spare(const struct uploader *u)
{
    return u->store && !u->cut && !u->other.call && !uploader_probing(u) &&
           u->breaker.state == BREAKER_CLOSED && u->in_flight < u->concurrency &&
           u->pause_until <= loop_now(u->event, CLOCK_BOOTTIME) && spool_next_offer(u->spool) != 0;
}

void uploader_set_spare_fn(struct uploader *u, uploader_spare_fn fn, void *userdata)
{
    u->spare = fn;
    u->spare_userdata = userdata;
}

void uploader_tell_spare(struct uploader *u)
{
    if (u->spare && uploader_spare(u))
        u->spare(u->spare_userdata);
}

static void on_put(void *userdata, const struct store_result *result)
{
    struct uploader *u = userdata;

    u->other.call = NULL;
    u->other.done(u->other.userdata, result);
}

int uploader_put(struct uploader *u, const struct store_object *object, store_done_fn done,
                 void *userdata)
{
    if (!uploader_spare(u))
        return -EAGAIN;
    u->other.done = done;
    u->other.userdata = userdata;
    return store_put(u->store, object, on_put, u, &u->other.call);
}

void uploader_put_cancel(struct uploader *u)
{
    store_cancel(u->other.call);
    u->other.call = NULL;
}

void uploader_drop_other(struct uploader *u)
{
    struct store_result result = {.end = STORE_RETRY};

    if (!u->other.call)
        return;
    uploader_put_cancel(u);
    (void)snprintf(result.text, sizeof(result.text), "the upload was ended");
    u->other.done(u->other.userdata, &result);
}
