/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "lib/spool/file_state.h"
#include "lib/spool/core/space.h"

/* The most bytes of one reservation; small enough that sums of reservations do not wrap. */
#define ROOM_MAX ((uint64_t)1 << 60)
#define FOREIGN_MAX 1000 /* tries in a row at which a file that is not in the index had the key */

static uint64_t whole_room(uint64_t trace, uint64_t record)
{
    uint64_t beside = space_round(record) + RESERVED_DIRECTORIES * SPACE_BLOCK;

    return (space_round(trace) < ROOM_MAX ? space_round(trace) : ROOM_MAX) + beside;
}

void files_init(struct files *s, struct core *core, struct items *items,
                struct reservations *reservations, struct queue *queue, struct expiry *expiry)
{
    *s = (struct files){.core = core,
                        .items = items,
                        .reservations = reservations,
                        .queue = queue,
                        .expiry = expiry};
}

void files_set_hold_fn(struct files *s, file_hold_fn fn, void *userdata)
{
    s->hold_fn = fn;
    s->hold_userdata = userdata;
}

static void file_free(struct spool_file *f)
{
    if (f->prev)
        f->prev->next = f->next;
    else
        f->files->all = f->next;
    if (f->next)
        f->next->prev = f->prev;
    reserved_remove(f->files->reservations->reserved, &f->room);
    (void)close_fd(f->fd);
    free(f->record);
    free(f->key);
    free(f);
}

void files_done(struct files *s)
{
    while (s->all)
        file_free(s->all);
}

static void release(struct spool_file *f)
{
    reservation_release(f->files->reservations, &f->room);
    file_free(f);
}

static void on_room(void *userdata, int r);

static struct spool_file *file_alloc(struct files *s)
{
    struct spool_file *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->files = s;
    f->fd = -1;
    f->next = s->all;
    if (f->next)
        f->next->prev = f;
    s->all = f;
    f->room.answer = on_room;
    f->room.userdata = f;
    reserved_add(s->reservations->reserved, &f->room);
    return f;
}

/* The file must have its room. 0 or a negative errno. */
static int open_tmp(struct spool_file *f)
{
    struct core *core = f->files->core;
    int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC;

    do {
        core_tmp_name(core, "", f->tmp);
        f->fd = openat(core->tree.incoming, f->tmp, flags, TREE_FILE_MODE);
    } while (f->fd < 0 && errno == EEXIST); /* a foreign file, which the start left alone */
    f->room.fd = f->fd;
    f->state = FILE_OPEN;
    return f->fd < 0 ? -errno : 0;
}

/* Makes missing directories again. Errors are not returned: the open of the file that follows fails
 * with the same one. */
static void mend(struct files *s)
{
    usec now = core_now(s->core);

    if (now >= s->mend_retry && tree_mend(&s->core->tree) < 0)
        s->mend_retry = now + CORE_REST_FIRST;
}

int files_new(struct files *s, uint64_t room, spool_room_fn fn, void *userdata,
              struct spool_file **ret)
{
    struct spool_file *f;
    int r;

    files_retry_stuck(s, true);
    mend(s);
    f = file_alloc(s);
    if (!f)
        return -ENOMEM;
    f->state = FILE_WAITS_NEW;
    f->room_fn = fn;
    f->room_userdata = userdata;
    f->room.wanted = whole_room(room, RESERVED_RECORD);
    r = reservation_request(s->reservations, &f->room);
    if (r > 0) {
        int opened = open_tmp(f);

        r = opened < 0 ? opened : r;
    }
    if (r < 0) {
        release(f);
        return r;
    }
    *ret = f;
    return r;
}

int spool_file_grow(struct spool_file *f, uint64_t room)
{
    int r;

    assert(f->state == FILE_OPEN && f->fd >= 0);
    f->room.wanted = whole_room(room, RESERVED_RECORD);
    if (f->room.wanted <= f->room.held)
        return 1;
    f->state = FILE_WAITS_GROW;
    r = reservation_request(f->files->reservations, &f->room);
    if (r != 0)
        f->state = FILE_OPEN;
    return r;
}

int spool_file_fd(const struct spool_file *f)
{
    return f->fd;
}

static int run_discard(struct disk_job *job)
{
    struct spool_file *f = (struct spool_file *)job;
    int r = 0;

    if (f->tmp[0] && unlinkat(f->files->core->tree.incoming, f->tmp, 0) < 0 && errno != ENOENT)
        r = -errno;
    f->fd = close_fd(f->fd); /* only this frees the blocks, which may take a while */
    return r;
}

/* The file keeps its reservation, because its bytes are still on the disk. */
static void keep_stuck(struct spool_file *f, int r)
{
    static const struct log_fields storage = {.message_id = MESSAGE_ID_STORAGE};
    struct files *s = f->files;

    if (s->stuck_rounds == 0)
        log_write(LOG_LEVEL_ERROR, &storage,
                  "cannot delete %s/incoming/%s: %s; its room stays taken; this and others like it"
                  " will be tried again in 5s, and then less and less often",
                  s->core->tree.path, f->tmp, strerror(-r));
    if (s->stuck++ == 0)
        s->stuck_rounds++;
    s->stuck_last = core_now(s->core);
    s->stuck_retry = s->stuck_last + core_rest(s->stuck_rounds - 1);
    f->state = FILE_STUCK;
    f->room.written = UINT64_MAX; /* no more bytes will be written */
    expiry_set_retry(s->expiry, EXPIRY_INCOMING, s->stuck_retry);
    expiry_arm(s->expiry);
}

/* Ends a file that was not published. `tmp_error`: why its temporary file could not be unlinked, or
 * 0. */
static void dispose(struct spool_file *f, int tmp_error)
{
    struct files *s = f->files;
    spool_published_fn fn = s->core->closing ? NULL : f->published_fn;
    void *userdata = f->published_userdata;
    int error = f->error;

    f->published_fn = NULL;
    if (tmp_error < 0) {
        keep_stuck(f, tmp_error);
    } else {
        if (s->stuck == 0)
            s->stuck_rounds = 0;
        release(f);
    }
    if (fn)
        fn(error, NULL, userdata);
}

static void on_discarded(struct disk_job *job, int r)
{
    struct spool_file *f = (struct spool_file *)job;
    struct core *core = f->files->core;

    dispose(f, r);
    core_job_ended(core);
}

static void discard(struct spool_file *f)
{
    f->state = FILE_DISCARDING;
    f->room.fd = -1;
    f->room.written = UINT64_MAX; /* no more bytes will be written */
    f->job = (struct disk_job){.run = run_discard, .done = on_discarded};
    core_submit(f->files->core, &f->job);
}

void spool_file_discard(struct spool_file *f)
{
    if (!f)
        return;
    assert(f->state <= FILE_WAITS_GROW);
    reservation_forget(f->files->reservations, &f->room);
    if (f->fd >= 0)
        discard(f);
    else
        release(f);
}

void files_retry_stuck(struct files *s, bool needed)
{
    usec due = needed ? s->stuck_last + CORE_REST_FIRST : s->stuck_retry;

    if (s->stuck == 0 || core_now(s->core) < due)
        return;
    s->stuck = 0;
    expiry_set_retry(s->expiry, EXPIRY_INCOMING, USEC_NEVER);
    for (struct spool_file *f = s->all; f; f = f->next) {
        if (f->state == FILE_STUCK)
            discard(f);
    }
}

/* `key` is that of the name. */
static bool key_in_use(const struct spool_file *f, const struct name *name, const char *key)
{
    const struct files *s = f->files;
    size_t at;

    if (items_find(s->items, key, &at) || recent_has(&s->items->recent, key))
        return true;
    for (const struct spool_file *other = s->all; other; other = other->next) {
        if (other != f && other->state == FILE_PUBLISHING && name_compare(&other->name, name) == 0)
            return true;
    }
    return false;
}

static void choose_key(struct spool_file *f)
{
    while (name_key(&f->name, f->key), key_in_use(f, &f->name, f->key))
        f->name.sequence++;
}

static bool stem_in_use(const struct spool_file *f, struct name name)
{
    char key[NAME_KEY_MAX];

    name.time -= name.time % USEC_PER_SEC;
    for (unsigned i = 0; i < KINDS; i++) {
        name.kind = (enum kind)i;
        if (key_in_use(f, &name, name_key(&name, key)))
            return true;
    }
    return false;
}

void spool_file_choose_stem(const struct spool_file *f, struct name *name)
{
    while (stem_in_use(f, *name))
        name->sequence++;
}

static int run_publish(struct disk_job *job)
{
    struct spool_file *f = (struct spool_file *)job;
    int r = publication_run(&f->publication);

    if (r != -EEXIST)
        f->fd = close_fd(f->fd);
    return r;
}

static void publish(struct spool_file *f);

/* Adds the trace to the index, marked as busy, so that nobody takes it before `join`. */
static void add_to_index(struct spool_file *f)
{
    struct items *items = f->files->items;
    uint64_t bytes = space_round(f->publication.bytes) + space_round(strlen(f->record));
    bool pending = f->publication.top == f->files->core->tree.pending;
    char *key = strdup(f->key);
    size_t at;

    /* publish() reserved room in the index, so this cannot fail. Without memory for a copy of the
     * key, the file's own buffer is used. */
    at = index_add(&items->index, key ? key : steal(&f->key), f->name.time, bytes, pending);
    index_set_size(&items->index, at, f->publication.bytes);
    index_annotate(&items->index, at, NULL, -1, -1); /* a new record has no label or numbers yet */
    items_at(items, at)->busy = true;
}

/* Asks how long the trace is to wait for its record to be amended; 0: not at all. */
static usec ask_hold(struct files *s, const char *key, const char *record)
{
    usec hold;
    size_t at;

    if (!s->hold_fn || s->core->closing || !items_find(s->items, key, &at))
        return 0;
    items_hold(s->items, at);
    hold = s->hold_fn(s->hold_userdata, key, record);
    if (!items_find(s->items, key, &at) || !items_at(s->items, at)->held)
        return 0; /* hold_fn itself has released the trace */
    if (hold == 0)
        items_unhold(s->items, at);
    return hold;
}

/* Makes the trace available: from here on it may be taken, amended and deleted. */
static void join(struct files *s, const char *key, usec hold)
{
    usec time;
    size_t at;

    if (!items_find(s->items, key, &at))
        return;
    time = items_at(s->items, at)->time;
    if (!items_at(s->items, at)->pending)
        expiry_joined(s->expiry, time);
    queue_join(s->queue, at, hold);
}

static void published(struct spool_file *f)
{
    struct files *s = f->files;
    spool_published_fn fn = s->core->closing ? NULL : f->published_fn;
    void *userdata = f->published_userdata;
    _cleanup_free_ char *record = NULL;
    char key[NAME_KEY_MAX];

    (void)snprintf(key, sizeof(key), "%s", f->key);
    /* The release calls no waiting request, so none can see the room as free before the trace is in
     * the index. */
    reservation_release(s->reservations, &f->room);
    add_to_index(f);
    record = steal(&f->record);
    file_free(f);
    join(s, key, ask_hold(s, key, record));
    if (fn)
        fn(0, key, userdata);
}

static void not_published(struct spool_file *f, int r)
{
    struct files *s = f->files;
    char key[NAME_KEY_MAX];

    f->error = r;
    if (r == -ENOSPC || r == -EDQUOT)
        reservation_found_full(s->reservations);
    /* The publication failed but the trace still has its key, so it must be in the index
     * for retention. */
    if (f->publication.trace_left) {
        (void)snprintf(key, sizeof(key), "%s", f->key);
        add_to_index(f);
        join(s, key, 0);
    }
    dispose(f, f->publication.tmp_left ? r : 0);
}

static void on_published(struct disk_job *job, int r)
{
    struct spool_file *f = (struct spool_file *)job;
    struct files *s = f->files;
    struct core *core = s->core;

    s->publishing--;
    if (r == -EEXIST && !core->closing) {
        /* A file that is not in the index has this key: try the next sequence. */
        f->foreign++;
        f->name.sequence++;
        publish(f);
    } else if (r >= 0) {
        published(f);
    } else {
        not_published(f, r);
    }
    core_job_ended(core);
}

/* Publishes a file that has its room. */
static void publish(struct spool_file *f)
{
    struct files *s = f->files;
    int r;

    r = f->foreign > FOREIGN_MAX ? -EEXIST : index_reserve(&s->items->index, s->publishing + 1);
    if (r < 0) {
        f->error = r;
        discard(f);
        return;
    }
    choose_key(f);
    f->state = FILE_PUBLISHING;
    f->room.fd = -1; /* from here on only the disk thread uses the descriptor */
    f->room.written = space_round(f->publication.bytes);
    f->publication.fd = f->fd;
    f->publication.tmp = f->tmp;
    f->publication.record = f->record;
    f->publication.key = f->key;
    f->job = (struct disk_job){.run = run_publish, .done = on_published};
    s->publishing++;
    core_submit(s->core, &f->job);
}

void spool_file_publish(struct spool_file *f, const struct name *name, uint64_t bytes,
                        const char *record_json, spool_published_fn fn, void *userdata)
{
    struct files *s = f->files;
    struct tree *tree = &s->core->tree;
    int r;

    assert(f->state <= FILE_WAITS_GROW && f->fd >= 0);
    reservation_forget(s->reservations, &f->room);
    f->published_fn = fn;
    f->published_userdata = userdata;
    f->name = *name;
    /* Whole seconds, as a later start will read them from the key. */
    f->name.time -= f->name.time % USEC_PER_SEC;
    f->publication.tree = tree;
    f->publication.top = s->upload ? tree->pending : tree->archive;
    f->publication.bytes = bytes;
    f->record = strdup(record_json);
    f->key = malloc(NAME_KEY_MAX);
    f->room.wanted = whole_room(bytes, strlen(record_json));
    f->state = FILE_WAITS_PUBLISH;
    if (!f->record || !f->key)
        r = -ENOMEM;
    else
        r = f->room.wanted <= f->room.held ? 1 : reservation_request(s->reservations, &f->room);
    if (r < 0) {
        f->error = r;
        discard(f);
    } else if (r > 0) {
        publish(f);
    }
}

/* Called with the answer to a reservation request that waited. */
static void on_room(void *userdata, int r)
{
    struct spool_file *f = userdata;
    bool new = f->state == FILE_WAITS_NEW;

    if (f->state == FILE_WAITS_PUBLISH) {
        f->error = r;
        if (r < 0)
            discard(f);
        else
            publish(f);
        return;
    }
    f->state = FILE_OPEN;
    if (new && r >= 0) {
        r = open_tmp(f);
        if (r < 0)
            reservation_release(f->files->reservations, &f->room);
    }
    f->room_fn(f, r, f->room_userdata);
}
