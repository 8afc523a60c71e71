/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/find/download.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "base/backoff.h"

#define ACCURACY (10 * USEC_PER_MSEC)
#define RETRY_AFTER_MAX (30 * USEC_PER_SEC)

static const struct backoff pauses = {.base = USEC_PER_SEC / 2, .cap = 8 * USEC_PER_SEC};

struct download {
    sd_event *event;
    struct store *store;
    const char *key;
    const struct download_handlers *handlers;
    void *userdata;
    struct store_call *call;
    sd_event_source *timer;
    unsigned tries;
};

usec download_pause(const struct store_result *result, unsigned tries, uint64_t random)
{
    if (result->end != STORE_RETRY || tries >= DOWNLOAD_TRIES ||
        result->retry_after > RETRY_AFTER_MAX)
        return USEC_NEVER;
    return backoff_wait(&pauses, tries - 1, result->retry_after, random);
}

static void end(struct download *d, const struct store_result *result)
{
    store_done_fn done = d->handlers->done;
    void *userdata = d->userdata;

    d->call = NULL;
    download_cancel(d);
    done(userdata, result);
}

static void end_locally(struct download *d, const char *text)
{
    struct store_result result = {.end = STORE_LOCAL};

    for (size_t i = 0; text[i] && i < sizeof(result.text) - 1; i++)
        result.text[i] = text[i];
    end(d, &result);
}

static void on_done(void *userdata, const struct store_result *result);

static int on_body(void *userdata, const void *data, size_t n)
{
    struct download *d = userdata;

    return d->handlers->body(d->userdata, data, n);
}

static int on_timer(sd_event_source *source, uint64_t now, void *userdata)
{
    struct download *d = userdata;

    (void)source;
    (void)now;
    d->timer = sd_event_source_disable_unref(d->timer);
    d->tries++;
    if (d->handlers->begin(d->userdata) < 0)
        end_locally(d, "what came could not be put aside");
    else if (store_get(d->store, d->key, on_body, on_done, d, &d->call) < 0)
        end_locally(d, "not enough memory");
    return 0;
}

static void on_done(void *userdata, const struct store_result *result)
{
    struct download *d = userdata;
    uint64_t random;
    usec pause;

    d->call = NULL;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
        random = UINT64_MAX; /* the longest pause */
    pause = download_pause(result, d->tries, random);
    if (pause == USEC_NEVER || sd_event_add_time_relative(d->event, &d->timer, CLOCK_BOOTTIME,
                                                          pause, ACCURACY, on_timer, d) < 0)
        end(d, result);
}

int download_start(sd_event *event, struct store *store, const char *key,
                   const struct download_handlers *handlers, void *userdata, struct download **ret)
{
    struct download *d = calloc(1, sizeof(*d));

    if (!d)
        return -ENOMEM;
    *d = (struct download){
        .event = event, .store = store, .key = key, .handlers = handlers, .userdata = userdata};
    if (sd_event_add_time_relative(event, &d->timer, CLOCK_BOOTTIME, 0, 1, on_timer, d) < 0) {
        free(d);
        return -ENOMEM;
    }
    *ret = d;
    return 0;
}

void download_cancel(struct download *d)
{
    if (!d)
        return;
    store_cancel(d->call);
    (void)sd_event_source_disable_unref(d->timer);
    free(d);
}
