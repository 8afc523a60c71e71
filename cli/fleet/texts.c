/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fleet/texts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/common/screen.h"
#include "cli/find/download.h"
#include "lib/rows/rows.h"

#define AHEAD 8 /* records that are fetched at once */

struct text {
    struct download *download; /* NULL: ended, or none was needed */
    struct buf record;
    char key[NAME_KEY_MAX]; /* the record's */
    bool found, failed;
    char why[STORE_TEXT_MAX];
};

/* Entry i has the slot i % AHEAD. */
struct texts {
    struct sources *sources;
    const struct catalog *catalog;
    struct text slots[AHEAD];
    size_t begun;
};

static int on_begin(void *userdata)
{
    struct text *t = userdata;

    buf_clear(&t->record);
    return 0;
}

static int on_body(void *userdata, const void *data, size_t n)
{
    struct text *t = userdata;

    return buf_add(&t->record, data, n);
}

static void on_done(void *userdata, const struct store_result *result)
{
    struct text *t = userdata;

    t->download = NULL;
    t->found = result->end == STORE_DONE;
    t->failed = !t->found && result->end != STORE_MISSING;
    memcpy(t->why, result->text, sizeof(t->why));
}

static int begin(struct texts *x, const struct entry *e, struct text *t)
{
    static const struct download_handlers handlers = {on_begin, on_body, on_done};
    const struct sources *s = x->sources;

    t->found = t->failed = false;
    buf_clear(&t->record);
    (void)name_record_key(e->key, t->key);
    if (s->has_local && (e->where & WHERE_LOCAL)) {
        int r = local_record(&s->local, e->key, &t->record);

        t->found = r == 0;
        t->failed = r < 0 && r != -ENOENT;
        if (t->failed)
            (void)snprintf(t->why, sizeof(t->why), "%s", strerror(-r));
        if (t->found || r == -ENOMEM)
            return r;
    }
    buf_clear(&t->record);
    if (!s->store || !(e->where & WHERE_REMOTE))
        return 0;
    t->failed = false;
    return download_start(s->event, s->store, t->key, &handlers, t, &t->download);
}

static int run(struct texts *x, texts_fn fn, void *userdata)
{
    int failed = 0, r = 0;

    for (size_t i = 0; i < x->catalog->n && r >= 0; i++) {
        struct text *t = &x->slots[i % AHEAD];

        for (; r >= 0 && x->begun < x->catalog->n && x->begun < i + AHEAD; x->begun++)
            r = begin(x, &x->catalog->items[x->begun], &x->slots[x->begun % AHEAD]);
        if (r < 0)
            return complain_memory();
        while (r >= 0 && t->download)
            r = sources_wait(x->sources);
        if (r >= 0 && t->failed && !failed++)
            complain("%s cannot be read: %s", t->key, t->why);
        if (r >= 0 && t->found)
            r = fn(userdata, &x->catalog->items[i], buf_str(&t->record), t->record.len);
    }
    return r < 0 ? r : failed > 0;
}

int texts_read(struct sources *s, const struct catalog *c, texts_fn fn, void *userdata)
{
    struct texts x = {.sources = s, .catalog = c};
    int r;

    for (size_t i = 0; i < AHEAD; i++)
        buf_init(&x.slots[i].record, ROWS_RECORD_MAX);
    r = run(&x, fn, userdata);
    for (size_t i = 0; i < AHEAD; i++) {
        download_cancel(x.slots[i].download);
        buf_done(&x.slots[i].record);
    }
    return r;
}
