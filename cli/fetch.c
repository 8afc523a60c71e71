/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fetch.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "daemon/upload/backoff.h"

#define ACCURACY (10 * USEC_PER_MSEC)
#define RETRY_AFTER_MAX (30 * USEC_PER_SEC)

static const struct backoff pauses = {.base = USEC_PER_SEC / 2, .cap = 8 * USEC_PER_SEC};

struct fetch {
    sd_event *event;
    struct store *store;
    const char *key;
    const struct fetch_handlers *handlers;
    void *userdata;
    struct store_call *call;
    sd_event_source *timer;
    unsigned tries;
};

usec fetch_pause(const struct store_result *result, unsigned tries, uint64_t random)
{
    if (result->end != STORE_RETRY || tries >= FETCH_TRIES ||
        result->retry_after > RETRY_AFTER_MAX)
        return USEC_NEVER;
    return backoff_wait(&pauses, tries - 1, result->retry_after, random);
}

static void end(struct fetch *f, const struct store_result *result)
{
    store_done_fn done = f->handlers->done;
    void *userdata = f->userdata;

    f->call = NULL;
    fetch_cancel(f);
    done(userdata, result);
}

static void end_locally(struct fetch *f, const char *text)
{
    struct store_result result = {.end = STORE_LOCAL};

    for (size_t i = 0; text[i] && i < sizeof(result.text) - 1; i++)
        result.text[i] = text[i];
    end(f, &result);
}

static void on_done(void *userdata, const struct store_result *result);

static int on_body(void *userdata, const void *data, size_t n)
{
    struct fetch *f = userdata;

    return f->handlers->body(f->userdata, data, n);
}

static int on_timer(sd_event_source *source, uint64_t now, void *userdata)
{
    struct fetch *f = userdata;

    (void)source;
    (void)now;
    f->timer = sd_event_source_disable_unref(f->timer);
    f->tries++;
    if (f->handlers->begin(f->userdata) < 0)
        end_locally(f, "what came could not be put aside");
    else if (store_get(f->store, f->key, on_body, on_done, f, &f->call) < 0)
        end_locally(f, "not enough memory");
    return 0;
}

static void on_done(void *userdata, const struct store_result *result)
{
    struct fetch *f = userdata;
    uint64_t random;
    usec pause;

    f->call = NULL;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
        random = UINT64_MAX; /* the longest pause */
    pause = fetch_pause(result, f->tries, random);
    if (pause == USEC_NEVER || sd_event_add_time_relative(f->event, &f->timer, CLOCK_BOOTTIME,
                                                          pause, ACCURACY, on_timer, f) < 0)
        end(f, result);
}

int fetch_start(sd_event *event, struct store *store, const char *key,
                const struct fetch_handlers *handlers, void *userdata, struct fetch **ret)
{
    struct fetch *f = calloc(1, sizeof(*f));

    if (!f)
        return -ENOMEM;
    *f = (struct fetch){.event = event, .store = store, .key = key, .handlers = handlers,
                        .userdata = userdata};
    if (sd_event_add_time_relative(event, &f->timer, CLOCK_BOOTTIME, 0, 1, on_timer, f) < 0) {
        free(f);
        return -ENOMEM;
    }
    *ret = f;
    return 0;
}

void fetch_cancel(struct fetch *f)
{
    if (!f)
        return;
    store_cancel(f->call);
    (void)sd_event_source_disable_unref(f->timer);
    free(f);
}
