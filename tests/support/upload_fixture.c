/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/upload_fixture.h"

#include <stdio.h>
#include <string.h>

#include "daemon/ship/uploader_state.h"

struct upload_fixture up;

int upload_setup(void **state)
{
    up = (struct upload_fixture){0};
    return fixture_setup(state);
}

int upload_teardown(void **state)
{
    upload_stop();
    return fixture_teardown(state);
}

void upload_start(void)
{
    start_uploading();
    assert_int_equal(uploader_new(fx.event, fx.disk, fx.spool, "web/1", 42, &up.uploader), 0);
}

void upload_set(unsigned concurrency, bool keep)
{
    up.store = fake_store_new(fx.event);
    up.store->freed = &up.freed;
    uploader_set(up.uploader, &up.store->store, concurrency, keep);
}

static bool hashing(void)
{
    for (const struct flight *f = up.uploader ? up.uploader->flights : NULL; f; f = f->next) {
        if (f->delivery.hashing)
            return true;
    }
    return false;
}

void upload_run(void)
{
    for (unsigned i = 0; i < 10000000; i++) {
        int r = sd_event_run(fx.event, 0);

        assert_true(r >= 0);
        if (r > 0)
            continue;
        if (!spool_busy(fx.spool) && !hashing())
            return;
        assert_true(sd_event_run(fx.event, 5 * USEC_PER_SEC) >= 0);
    }
    fail_msg("the loop does not come to rest");
}

void upload_start_with(unsigned concurrency)
{
    upload_start();
    upload_set(concurrency, true);
    upload_run();
    fake_forget(up.store);
}

void upload_stop(void)
{
    if (up.uploader) {
        uploader_cut(up.uploader);
        upload_run();
        uploader_free(up.uploader);
        up.uploader = NULL;
    }
    fixture_stop();
}

struct uploader_stats upload_stats(void)
{
    struct uploader_stats stats;

    uploader_stats(up.uploader, &stats);
    return stats;
}

const char *upload_put(size_t n)
{
    static char text[4][64];
    static unsigned turn;
    char *out = text[turn++ % 4];
    const char *leaf, *dot;

    if (n >= up.store->n_puts)
        return "";
    leaf = strrchr(up.store->puts[n].key, '/') + 1;
    dot = strrchr(leaf, '.');
    (void)snprintf(out, sizeof(text[0]), "%.*s%s", dot ? (int)(dot - leaf) : (int)strlen(leaf),
                   leaf, dot && strcmp(dot, ".json") == 0 ? "R" : "");
    return out;
}
