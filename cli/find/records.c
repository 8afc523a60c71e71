/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/find/records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/common/screen.h"
#include "cli/find/download.h"

#define CONCURRENCY 8

struct reading;

struct slot {
    struct reading *reading;
    struct entry *entry; /* NULL: free */
    struct download *download;
    struct buf text;
    char key[NAME_KEY_MAX];
};

struct reading {
    struct sources *sources;
    struct catalog *catalog;
    size_t next;
    unsigned busy;
    int error;
    bool said;
    struct slot slots[CONCURRENCY];
};

static int on_begin(void *userdata)
{
    struct slot *slot = userdata;

    buf_clear(&slot->text);
    return 0;
}

static int on_body(void *userdata, const void *data, size_t n)
{
    struct slot *slot = userdata;

    return buf_add(&slot->text, data, n);
}

/* Text that is no record counts as no record. 0 or -ENOMEM. */
static int use_text(struct slot *slot)
{
    struct facts *facts = calloc(1, sizeof(*facts));
    bool keep = slot->reading->catalog->keep_records;
    int r = facts ? facts_parse(buf_str(&slot->text), slot->text.len, keep, facts) : -ENOMEM;

    if (r < 0) {
        free(facts);
        return r == -ENOMEM ? r : 0;
    }
    slot->entry->facts = facts;
    return 0;
}

static void on_done(void *userdata, const struct store_result *result)
{
    struct slot *slot = userdata;
    struct reading *reading = slot->reading;

    slot->download = NULL;
    if (result->end == STORE_DONE) {
        if (use_text(slot) < 0)
            reading->error = -ENOMEM;
    } else if (result->end != STORE_MISSING) {
        if (!reading->said)
            complain("%s cannot be read: %s", slot->key, result->text);
        reading->said = true;
        reading->error = -EIO;
    }
    slot->entry = NULL;
    reading->busy--;
}

/* The next entry whose record must come from the store. */
static struct entry *next_entry(struct reading *r)
{
    while (r->next < r->catalog->n) {
        struct entry *e = &r->catalog->items[r->next++];

        if (!e->facts && !e->asked)
            return e;
    }
    return NULL;
}

static int begin(struct reading *r, struct slot *slot)
{
    static const struct download_handlers handlers = {on_begin, on_body, on_done};
    int error;

    slot->entry = next_entry(r);
    if (!slot->entry)
        return 0;
    slot->entry->asked = true;
    (void)name_record_key(slot->entry->key, slot->key);
    error = download_start(r->sources->event, r->sources->store, slot->key, &handlers, slot,
                           &slot->download);
    if (error < 0)
        slot->entry = NULL;
    else
        r->busy++;
    return error;
}

static int read_remote(struct sources *s, struct catalog *c)
{
    struct reading r = {.sources = s, .catalog = c};
    int error = 0;

    for (size_t i = 0; i < CONCURRENCY; i++) {
        r.slots[i].reading = &r;
        buf_init(&r.slots[i].text, FACTS_RECORD_MAX);
    }
    do {
        for (size_t i = 0; i < CONCURRENCY && error == 0 && r.error == 0; i++) {
            if (!r.slots[i].entry)
                error = begin(&r, &r.slots[i]);
        }
        if (error == 0 && r.busy > 0)
            error = sources_wait(s);
    } while (error == 0 && r.busy > 0);
    for (size_t i = 0; i < CONCURRENCY; i++) {
        download_cancel(r.slots[i].download);
        buf_done(&r.slots[i].text);
    }
    return error < 0 ? error : r.error;
}

int records_read(struct sources *s, struct catalog *c, bool remote)
{
    int r = 0;

    for (size_t i = 0; i < c->n && r == 0; i++) {
        struct entry *e = &c->items[i];

        if (s->has_local && (e->where & WHERE_LOCAL) && !e->asked)
            r = local_facts(&s->local, e, c->keep_records);
    }
    if (r == 0 && remote && s->store)
        r = read_remote(s, c);
    if (r == -ENOMEM)
        complain("not enough memory");
    return r;
}
