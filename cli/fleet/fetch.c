/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fleet/fetch.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "cli/common/landing.h"
#include "cli/common/screen.h"
#include "cli/find/download.h"
#include "lib/rows/rowfile.h"

#define CONCURRENCY 8
#define DAYS_MAX 400 /* listed one by one; of a longer time, all days are listed */

struct slot {
    struct fetch *fetch;
    struct download *download; /* NULL: free */
    struct landing landing;
    char key[ROWFILE_KEY_MAX];
};

struct fetch {
    struct sources *sources;
    const struct fetch_range *range;
    char first[ROWFILE_DAY_SIZE], last[ROWFILE_DAY_SIZE]; /* days; "" of last: no end */
    int out;
    char **keys; /* owned */
    size_t n, capacity, next;
    char after[ROWFILE_KEY_MAX];
    bool listed;
    struct store_result result;
    unsigned busy;
    int error;
    uint64_t files, bytes;
    struct slot slots[CONCURRENCY];
};

static int add(struct fetch *f, const char *key)
{
    if (f->n == f->capacity) {
        size_t capacity = f->capacity ? 2 * f->capacity : 256;
        char **keys = reallocarray(f->keys, capacity, sizeof(*keys));

        if (!keys)
            return -ENOMEM;
        f->keys = keys;
        f->capacity = capacity;
    }
    f->keys[f->n] = strdup(key);
    return f->keys[f->n++] ? 0 : -ENOMEM;
}

static int on_object(void *userdata, const char *key, uint64_t size, usec modified)
{
    struct fetch *f = userdata;
    struct rowfile file;

    (void)size;
    (void)modified;
    if (f->sources->interrupt.number)
        return -EINTR;
    if (rowfile_parse(key, &file) < 0)
        return 0;
    (void)snprintf(f->after, sizeof(f->after), "%s", key);
    if (strcmp(file.day, f->first) < 0 || (f->last[0] && strcmp(file.day, f->last) > 0))
        return 0;
    if (f->range->service && fnmatch(f->range->service, file.service, 0) != 0)
        return 0;
    return add(f, key);
}

static void on_listed(void *userdata, const struct store_result *result)
{
    struct fetch *f = userdata;

    f->result = *result;
    f->listed = true;
}

static int list_once(struct fetch *f, const char *prefix)
{
    struct store_call *call = NULL;
    int r;

    f->listed = false;
    r = store_list(f->sources->store, prefix, f->after, on_object, on_listed, f, &call);
    while (r == 0 && !f->listed)
        r = sources_wait(f->sources);
    if (r < 0 && !f->listed)
        store_cancel(call);
    return r;
}

static int list(struct fetch *f, const char *prefix)
{
    f->after[0] = '\0';
    for (unsigned tries = 1;; tries++) {
        usec pause;
        int r = list_once(f, prefix);

        if (r < 0 || f->result.end == STORE_DONE)
            return r == -ENOMEM ? complain_memory() : r;
        pause = download_pause(&f->result, tries, UINT64_MAX);
        if (pause == USEC_NEVER)
            break;
        r = sources_pause(f->sources, pause);
        if (r < 0)
            return r;
    }
    complain("%s cannot be listed: %s", store_describe(f->sources->store), f->result.text);
    return -EIO;
}

static int list_days(struct fetch *f, usec now)
{
    const struct fetch_range *range = f->range;
    usec end = range->until < now + USEC_PER_DAY ? range->until : now + USEC_PER_DAY;
    char prefix[ROWFILE_KEY_MAX], day[ROWFILE_DAY_SIZE];
    int r = 0;

    (void)rowfile_day(range->since, f->first);
    if (range->until != USEC_NEVER)
        (void)rowfile_day(range->until - 1, f->last);
    if (end > range->since && end - range->since > DAYS_MAX * USEC_PER_DAY)
        return list(f, ROWFILE_PREFIX "dt=");
    for (usec t = range->since / USEC_PER_DAY * USEC_PER_DAY; r == 0 && t < end;
         t += USEC_PER_DAY) {
        (void)snprintf(prefix, sizeof(prefix), ROWFILE_PREFIX "dt=%s/", rowfile_day(t, day));
        r = list(f, prefix);
    }
    return r;
}

static int on_begin(void *userdata)
{
    struct slot *slot = userdata;

    return landing_begin(&slot->landing);
}

static int on_body(void *userdata, const void *data, size_t n)
{
    struct slot *slot = userdata;

    return landing_write(&slot->landing, data, n);
}

static void on_done(void *userdata, const struct store_result *result)
{
    struct slot *slot = userdata;
    struct fetch *f = slot->fetch;
    int r = 0;

    slot->download = NULL;
    f->busy--;
    if (result->end == STORE_DONE)
        r = landing_finish(&slot->landing, true);
    if (result->end != STORE_DONE && result->end != STORE_MISSING) {
        complain("%s cannot be read: %s", slot->key, result->text);
        f->error = -EIO;
    } else if (r < 0) {
        complain("%s cannot be put aside: %s", slot->key, strerror(-r));
        f->error = r;
    } else if (result->end == STORE_DONE) {
        f->files++;
        f->bytes += slot->landing.size;
    }
    landing_done(&slot->landing);
}

static int begin(struct fetch *f, struct slot *slot)
{
    static const struct download_handlers handlers = {on_begin, on_body, on_done};
    char path[ROWFILE_KEY_MAX];
    struct rowfile file;
    int r;

    (void)snprintf(slot->key, sizeof(slot->key), "%s", f->keys[f->next++]);
    (void)rowfile_parse(slot->key, &file);
    r = landing_init(&slot->landing, f->out, rowfile_path(&file, path));
    if (r < 0) {
        complain("%s cannot be put aside: %s", slot->key, strerror(-r));
        return r;
    }
    r = download_start(f->sources->event, f->sources->store, slot->key, &handlers, slot,
                       &slot->download);
    if (r < 0) {
        landing_done(&slot->landing);
        return complain_memory();
    }
    f->busy++;
    return 0;
}

static int download_all(struct fetch *f)
{
    int r = 0;

    do {
        for (size_t i = 0; i < CONCURRENCY && r == 0 && f->error == 0 && f->next < f->n; i++) {
            if (!f->slots[i].download)
                r = begin(f, &f->slots[i]);
        }
        if (r == 0 && f->busy > 0)
            r = sources_wait(f->sources);
    } while (r == 0 && f->busy > 0);
    for (size_t i = 0; i < CONCURRENCY; i++) {
        if (!f->slots[i].download)
            continue;
        download_cancel(f->slots[i].download);
        landing_done(&f->slots[i].landing);
    }
    return r < 0 ? r : f->error;
}

int fetch_rows(struct sources *s, const struct fetch_range *range, int out, uint64_t *ret_files,
               uint64_t *ret_bytes)
{
    struct fetch *f = calloc(1, sizeof(*f));
    int r;

    if (!f)
        return complain_memory();
    f->sources = s;
    f->range = range;
    f->out = out;
    for (size_t i = 0; i < CONCURRENCY; i++)
        f->slots[i].fetch = f;
    r = list_days(f, clock_real());
    if (r == 0)
        r = download_all(f);
    *ret_files = f->files;
    *ret_bytes = f->bytes;
    for (size_t i = 0; i < f->n; i++)
        free(f->keys[i]);
    free(f->keys);
    free(f);
    return r;
}
