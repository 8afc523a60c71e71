/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A file in incoming/ from its first byte to its end: published under a key, or unlinked.
 */

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "lib/spool/core/space.h"
#include "lib/spool/state.h"

#define ROOM_MAX ((uint64_t)1 << 60) /* bytes of one reservation: sums of them do not wrap */
#define FOREIGN_MAX 1000 /* names in a row that are taken by what contraced did not make */

static uint64_t whole_room(uint64_t trace, uint64_t record)
{
    uint64_t beside = space_round(record) + STATE_DIRECTORIES * SPACE_BLOCK;

    return (space_round(trace) < ROOM_MAX ? space_round(trace) : ROOM_MAX) + beside;
}

void file_free(struct spool_file *f)
{
    if (f->prev)
        f->prev->next = f->next;
    else
        f->spool->files = f->next;
    if (f->next)
        f->next->prev = f->prev;
    (void)close_fd(f->fd);
    free(f->record);
    free(f->key);
    free(f);
}

static struct spool_file *file_alloc(struct spool *s)
{
    struct spool_file *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->spool = s;
    f->fd = -1;
    f->next = s->files;
    if (f->next)
        f->next->prev = f;
    s->files = f;
    return f;
}

/* What of its reservation will still be taken from the free space. */
uint64_t file_unwritten(const struct spool_file *f)
{
    uint64_t written = f->reserved;
    struct stat st;

    if (f->state == FILE_PUBLISHING)
        written = space_round(f->publication.bytes);
    else if (f->state < FILE_PUBLISHING && f->fd >= 0)
        /* Blocks that are only promised to a dirty page are counted here as they are by statvfs. */
        written = fstat(f->fd, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
    return f->reserved > written ? f->reserved - written : 0;
}

/* 0 or a negative errno; the file has its room. */
static int open_tmp(struct spool_file *f)
{
    struct spool *s = f->spool;
    int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC;

    do {
        (void)snprintf(f->tmp, sizeof(f->tmp), "tmp-%08" PRIx64 ".out", ++s->tmp_counter);
        f->fd = openat(s->tree.incoming, f->tmp, flags, TREE_FILE_MODE);
    } while (f->fd < 0 && errno == EEXIST); /* something foreign that the sweep left alone */
    f->state = FILE_OPEN;
    return f->fd < 0 ? -errno : 0;
}

/* Where that fails, the file's own call says why there is no capture. */
static void mend(struct spool *s)
{
    if (spool_now_boot(s) >= s->mend_retry && tree_mend(&s->tree) < 0)
        s->mend_retry = spool_now_boot(s) + REST_FIRST;
}

int spool_file_new(struct spool *s, uint64_t room, spool_room_fn fn, void *userdata,
                   struct spool_file **ret)
{
    struct spool_file *f;
    int r;

    file_retry_stuck(s, true);
    mend(s);
    f = file_alloc(s);
    if (!f)
        return -ENOMEM;
    f->state = FILE_WAITS_NEW;
    f->room_fn = fn;
    f->room_userdata = userdata;
    f->wanted = whole_room(room, STATE_RECORD_ROOM);
    r = reservation_request(f);
    if (r > 0) {
        int opened = open_tmp(f);

        r = opened < 0 ? opened : r;
    }
    if (r < 0) {
        reservation_release(f);
        file_free(f);
        return r;
    }
    *ret = f;
    return r;
}

int spool_file_grow(struct spool_file *f, uint64_t room)
{
    int r;

    assert(f->state == FILE_OPEN && f->fd >= 0);
    f->wanted = whole_room(room, STATE_RECORD_ROOM);
    if (f->wanted <= f->reserved)
        return 1;
    f->state = FILE_WAITS_GROW;
    r = reservation_request(f);
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

    if (f->tmp[0] && unlinkat(f->spool->tree.incoming, f->tmp, 0) < 0 && errno != ENOENT)
        r = -errno;
    f->fd = close_fd(f->fd); /* only now are the blocks free, and freeing many takes a while */
    return r;
}

/* It keeps its room, because its bytes are still there. */
static void keep_stuck(struct spool_file *f, int r)
{
    static const struct log_fields storage = {.message_id = MESSAGE_ID_STORAGE};
    struct spool *s = f->spool;

    if (s->stuck_rounds == 0)
        log_write(LOG_LEVEL_ERROR, &storage,
                  "cannot delete %s/incoming/%s: %s; its room stays taken; this and others like it"
                  " will be tried again in 5s, and then less and less often",
                  s->tree.path, f->tmp, strerror(-r));
    if (s->stuck++ == 0)
        s->stuck_rounds++;
    s->stuck_last = spool_now_boot(s);
    s->stuck_retry = s->stuck_last + spool_rest(s->stuck_rounds - 1);
    f->state = FILE_STUCK;
    spool_arm_expiry(s);
}

/* The end of a file that was not published. `tmp_error`: why it is still there, or 0. */
static void dispose(struct spool_file *f, int tmp_error)
{
    spool_published_fn fn = f->spool->closing ? NULL : f->published_fn;
    void *userdata = f->published_userdata;
    int error = f->error;

    f->published_fn = NULL;
    if (tmp_error < 0) {
        keep_stuck(f, tmp_error);
    } else {
        if (f->spool->stuck == 0)
            f->spool->stuck_rounds = 0;
        reservation_release(f);
        file_free(f);
    }
    if (fn)
        fn(error, NULL, userdata);
}

static void on_discarded(struct disk_job *job, int r)
{
    struct spool_file *f = (struct spool_file *)job;
    struct spool *s = f->spool;

    dispose(f, r);
    spool_job_ended(s);
}

static void discard(struct spool_file *f)
{
    f->state = FILE_DISCARDING;
    f->job = (struct disk_job){.run = run_discard, .done = on_discarded};
    spool_submit(f->spool, &f->job);
}

void spool_file_discard(struct spool_file *f)
{
    if (!f)
        return;
    assert(f->state <= FILE_WAITS_GROW);
    reservation_forget(f);
    if (f->fd >= 0) {
        discard(f);
        return;
    }
    reservation_release(f);
    file_free(f);
}

void file_retry_stuck(struct spool *s, bool needed)
{
    usec due = needed ? s->stuck_last + REST_FIRST : s->stuck_retry;

    if (s->stuck == 0 || spool_now_boot(s) < due)
        return;
    s->stuck = 0;
    for (struct spool_file *f = s->files; f; f = f->next) {
        if (f->state == FILE_STUCK)
            discard(f);
    }
}

static bool key_in_use(const struct spool_file *f, const char *key)
{
    const struct spool *s = f->spool;
    usec time = f->name.time;
    size_t i;

    if (index_find(&s->kept, key, time, false, &i) || index_find(&s->kept, key, time, true, &i) ||
        recent_has(&s->recent, key))
        return true;
    for (const struct spool_file *other = s->files; other; other = other->next) {
        if (other != f && other->state == FILE_PUBLISHING &&
            name_compare(&other->name, &f->name) == 0)
            return true;
    }
    return false;
}

static void choose_key(struct spool_file *f)
{
    while (name_key(&f->name, f->key), key_in_use(f, f->key))
        f->name.sequence++;
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

static void add_to_index(struct spool_file *f)
{
    struct spool *s = f->spool;
    uint64_t bytes = space_round(f->publication.bytes) + space_round(strlen(f->record));
    bool pending = f->publication.top == s->tree.pending;
    char *key = strdup(f->key);
    size_t at;

    /* Room in the index was kept; for the key, the file's own longer buffer will do. */
    at = index_add(&s->kept, key ? key : steal(&f->key), f->name.time, bytes, pending);
    index_set_size(&s->kept, at, f->publication.bytes);
    index_annotate(&s->kept, at, NULL, -1, -1); /* a new record says nothing of the trace */
    if (pending)
        queue_kick(s);
    else
        spool_will_expire(s, f->name.time);
}

static void published(struct spool_file *f)
{
    struct spool *s = f->spool;
    spool_published_fn fn = s->closing ? NULL : f->published_fn;
    void *userdata = f->published_userdata;
    char key[NAME_KEY_MAX];

    (void)snprintf(key, sizeof(key), "%s", f->key);
    reservation_release(
        f); /* answers nobody yet, so what is released and what is kept change at once */
    add_to_index(f);
    file_free(f);
    /* First: whoever is told of the publication may go on to take the trace for its upload. */
    if (s->kept_fn && !s->closing)
        s->kept_fn(s->kept_userdata, key);
    if (fn)
        fn(0, key, userdata);
}

static void on_published(struct disk_job *job, int r)
{
    struct spool_file *f = (struct spool_file *)job;
    struct spool *s = f->spool;

    s->publishing--;
    if (r == -EEXIST && !s->closing) {
        /* Something that is not in the index stands in the key's place: the next one. */
        f->foreign++;
        f->name.sequence++;
        publish(f);
    } else if (r >= 0) {
        published(f);
    } else {
        f->error = r;
        if (r == -ENOSPC || r == -EDQUOT)
            spool_found_full(s);
        if (f->publication.trace_left)
            add_to_index(f); /* it failed, but it is there: retention must know of it */
        dispose(f, f->publication.tmp_left ? r : 0);
    }
    spool_job_ended(s);
}

/* Has its room. */
static void publish(struct spool_file *f)
{
    struct spool *s = f->spool;
    int r;

    r = f->foreign > FOREIGN_MAX ? -EEXIST : index_reserve(&s->kept, s->publishing + 1);
    if (r < 0) {
        f->error = r;
        discard(f);
        return;
    }
    choose_key(f);
    f->state = FILE_PUBLISHING;
    f->publication.fd = f->fd;
    f->publication.tmp = f->tmp;
    f->publication.record = f->record;
    f->publication.key = f->key;
    f->job = (struct disk_job){.run = run_publish, .done = on_published};
    s->publishing++;
    spool_submit(s, &f->job);
}

void spool_file_publish(struct spool_file *f, const struct name *name, uint64_t bytes,
                        const char *record_json, spool_published_fn fn, void *userdata)
{
    struct spool *s = f->spool;
    int r;

    assert(f->state <= FILE_WAITS_GROW && f->fd >= 0);
    reservation_forget(f);
    f->published_fn = fn;
    f->published_userdata = userdata;
    f->name = *name;
    f->name.time -= f->name.time % USEC_PER_SEC; /* as a start would read it from the key */
    f->publication.tree = &s->tree;
    f->publication.top = s->upload ? s->tree.pending : s->tree.archive;
    f->publication.bytes = bytes;
    f->record = strdup(record_json);
    f->key = malloc(NAME_KEY_MAX);
    f->wanted = whole_room(bytes, strlen(record_json));
    f->state = FILE_WAITS_PUBLISH;
    r = !f->record || !f->key ? -ENOMEM : f->wanted <= f->reserved ? 1 : reservation_request(f);
    if (r < 0) {
        f->error = r;
        discard(f);
    } else if (r > 0) {
        publish(f);
    }
}

void file_room(struct spool_file *f, int r)
{
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
            reservation_release(f);
    }
    f->room_fn(f, r, f->room_userdata);
}
