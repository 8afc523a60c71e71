/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/file/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/segments.h"
#include "lib/store/file/directory.h"
#include "lib/store/file/entry.h"
#include "lib/store/file/mark.h"
#include "lib/store/file/walk.h"

#define SCHEME "file://"
#define PATH_LENGTH_MAX 2048
#define PIECE ((size_t)256 << 10)
#define BATCH 512 /* files that one turn on a thread walks over; others need the thread, too */

struct file_store {
    struct store base;
    struct disk *disk; /* its own */
    char *path;
    bool if_none_match;
    struct mark mark;
    bool swept;    /* the sweep of dead writers' temporary files was started */
    unsigned refs; /* one of the owner, and one of each call that still runs on a thread */
};

struct listed {
    char *key;
    uint64_t size;
    usec modified;
};

/* A call is either on a thread, or in a function of the loop that ends it or sends it back to a
 * thread. */
struct file_call {
    struct store_call base;
    struct disk_job job;
    store_done_fn done;
    void *userdata;
    struct store_result result;
    atomic_bool stop; /* cancelled: set by the loop, read by the thread */

    char *key; /* list: the prefix */
    int fd;    /* put: the file to send; get: the file to read. Our own descriptor */

    /* put */
    void *data; /* our own copy */
    uint64_t size;
    char sha256[STORE_SHA256_SIZE];
    bool replace;

    /* get */
    store_body_fn body;
    char *piece;
    size_t n;
    uint64_t offset;

    /* list and sweep */
    store_object_fn object;
    char *after;
    struct walk *walk;
    struct listed *listed;
    size_t n_listed;
    bool last;
    usec now; /* sweep */
};

static struct file_call *call_of(struct disk_job *job)
{
    return (struct file_call *)((char *)job - offsetof(struct file_call, job));
}

static struct file_store *store_of(const struct file_call *c)
{
    return (struct file_store *)c->base.store;
}

static void unref(struct file_store *s)
{
    if (--s->refs > 0)
        return;
    disk_free(s->disk); /* does not block: no call is under way */
    mark_done(&s->mark);
    free(s->base.description);
    free(s->path);
    free(s);
}

static void forget_listed(struct file_call *c)
{
    for (size_t i = 0; i < c->n_listed; i++)
        free(c->listed[i].key);
    c->n_listed = 0;
}

static void call_free(struct file_call *c)
{
    struct file_store *s = store_of(c);

    forget_listed(c);
    free(c->listed);
    walk_free(c->walk);
    (void)close_fd(c->fd);
    free(c->piece);
    free(c->data);
    free(c->after);
    free(c->key);
    free(c);
    unref(s);
}

/* Ends the call and tells its owner, unless it was cancelled. */
static void finish(struct file_call *c)
{
    if (!atomic_load(&c->stop) && c->done)
        c->done(c->userdata, &c->result);
    call_free(c);
}

static void on_done(struct disk_job *job, int r)
{
    (void)r;
    finish(call_of(job));
}

/* NULL without memory. */
static struct file_call *call_new(struct store *store, const char *key, store_done_fn done,
                                  void *userdata, int (*run)(struct disk_job *job))
{
    struct file_store *s = (struct file_store *)store;
    struct file_call *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->base.store = store;
    c->job = (struct disk_job){.run = run, .done = on_done};
    c->done = done;
    c->userdata = userdata;
    c->fd = -1;
    c->key = strdup(key);
    s->refs++;
    if (c->key)
        return c;
    call_free(c);
    return NULL;
}

static int begin(struct file_call *c, struct store_call **ret)
{
    disk_submit(store_of(c)->disk, &c->job);
    if (ret)
        *ret = &c->base;
    return 0;
}

static void file_cancel(struct store_call *base)
{
    struct file_call *c = (struct file_call *)base;

    if (c)
        atomic_store(&c->stop, true);
}

/* The error of a handler of the caller. */
static void refused_by_handler(struct file_call *c, int error)
{
    char what[128];

    c->result = (struct store_result){.end = STORE_LOCAL};
    (void)snprintf(c->result.text, sizeof(c->result.text), "given up: %s",
                   strerror_r(-error, what, sizeof(what)));
}

static bool is_stale(const struct file_call *c, const struct walk_entry *e)
{
    return directory_is_aside(e->leaf) && c->now > DIRECTORY_STALE &&
           e->modified < c->now - DIRECTORY_STALE;
}

static int run_sweep(struct disk_job *job)
{
    struct file_call *c = call_of(job);
    struct walk_entry e;
    int r = 1;

    if (!c->walk) {
        int fd = directory_open(store_of(c)->path, &c->result);

        if (fd < 0 || walk_new(fd, "", "", &c->walk) < 0)
            r = 0;
    }
    for (int i = 0; r > 0 && i < BATCH; i++) {
        r = walk_next(c->walk, &e);
        if (r > 0 && is_stale(c, &e))
            (void)unlinkat(e.dir, e.leaf, 0);
        if (r == -EACCES)
            r = 1; /* not ours, then */
    }
    c->last = r <= 0;
    return 0;
}

static void on_swept(struct disk_job *job, int r)
{
    struct file_call *c = call_of(job);

    (void)r;
    if (c->last || store_of(c)->refs == 1) /* nobody else is left */
        call_free(c);
    else
        disk_submit(store_of(c)->disk, &c->job);
}

/* The first put starts the sweep, as readers must not remove files. If memory is short: the next
 * put. */
static void sweep_once(struct file_store *s)
{
    struct file_call *c;

    if (s->swept)
        return;
    c = call_new(&s->base, "", NULL, NULL, run_sweep);
    if (!c)
        return;
    s->swept = true;
    c->job.done = on_swept;
    c->now = clock_real();
    (void)begin(c, NULL);
}

static int run_put(struct disk_job *job)
{
    struct file_call *c = call_of(job);
    const struct directory_file f = {
        .key = c->key,
        .data = c->data,
        .fd = c->fd,
        .size = c->size,
        .sha256 = c->sha256[0] ? c->sha256 : NULL,
        .if_none_match = store_of(c)->if_none_match && !c->replace,
        .stop = &c->stop,
    };

    directory_put(store_of(c)->path, &store_of(c)->mark, &f, &c->result);
    return 0;
}

/* A copy for the thread, which may still use it after the caller cancelled and released its own. */
static int own(struct file_call *c, const struct store_object *object)
{
    c->size = object->size;
    c->replace = object->replace;
    if (object->sha256)
        (void)snprintf(c->sha256, sizeof(c->sha256), "%s", object->sha256);
    if (object->data) {
        c->data = malloc(object->size > 0 ? object->size : 1);
        if (!c->data)
            return -ENOMEM;
        memcpy(c->data, object->data, object->size);
        return 0;
    }
    c->fd = fcntl(object->fd, F_DUPFD_CLOEXEC, 3);
    if (c->fd >= 0)
        return 0;
    c->result = (struct store_result){.end = STORE_LOCAL};
    (void)snprintf(c->result.text, sizeof(c->result.text), "cannot hold on to the file of %s: %s",
                   object->key, strerror(errno));
    return 0;
}

static int run_nothing(struct disk_job *job)
{
    (void)job;
    return 0;
}

static int file_put(struct store *s, const struct store_object *object, store_done_fn done,
                    void *userdata, struct store_call **ret)
{
    struct file_call *c = call_new(s, object->key, done, userdata, run_put);
    int r = c ? own(c, object) : -ENOMEM;

    if (r < 0) {
        if (c)
            call_free(c);
        return r;
    }
    if (c->result.end != STORE_DONE)
        c->job.run = run_nothing; /* the loop tells it later */
    r = begin(c, ret);
    sweep_once((struct file_store *)s);
    return r;
}

static int run_head(struct disk_job *job)
{
    struct file_call *c = call_of(job);

    directory_head(store_of(c)->path, c->key, &c->stop, &c->result);
    return 0;
}

static int file_head(struct store *s, const char *key, store_done_fn done, void *userdata,
                     struct store_call **ret)
{
    struct file_call *c = call_new(s, key, done, userdata, run_head);

    return c ? begin(c, ret) : -ENOMEM;
}

static int run_get(struct disk_job *job)
{
    struct file_call *c = call_of(job);
    ssize_t got;

    c->n = 0;
    if (c->fd < 0) {
        c->fd = directory_open_file(store_of(c)->path, c->key, &c->result);
        if (c->fd < 0)
            return 0;
    }
    do
        got = pread(c->fd, c->piece, PIECE, (off_t)c->offset);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        entry_explain(-errno, "read", store_of(c)->path, c->key, &c->result);
    else
        c->n = (size_t)got;
    return 0;
}

static void on_piece(struct disk_job *job, int r)
{
    struct file_call *c = call_of(job);
    bool more = c->result.end == STORE_DONE && c->n > 0 && !atomic_load(&c->stop);

    c->result.size = c->offset;
    r = more ? c->body(c->userdata, c->piece, c->n) : 0;
    if (r < 0)
        refused_by_handler(c, r);
    c->offset += c->n;
    if (more && r >= 0 && !atomic_load(&c->stop))
        disk_submit(store_of(c)->disk, &c->job);
    else
        finish(c);
}

static int file_get(struct store *s, const char *key, store_body_fn body, store_done_fn done,
                    void *userdata, struct store_call **ret)
{
    struct file_call *c = call_new(s, key, done, userdata, run_get);

    if (!c)
        return -ENOMEM;
    c->body = body;
    c->job.done = on_piece;
    c->piece = malloc(PIECE);
    if (!c->piece) {
        call_free(c);
        return -ENOMEM;
    }
    return begin(c, ret);
}

static int add_listed(struct file_call *c, const struct walk_entry *e)
{
    char *key;

    if (directory_is_ours(e->leaf))
        return 0;
    key = strdup(e->key);
    if (!key)
        return -ENOMEM;
    c->listed[c->n_listed++] = (struct listed){key, e->size, e->modified};
    return 0;
}

static int run_list(struct disk_job *job)
{
    struct file_call *c = call_of(job);
    struct walk_entry e;
    int r = 1;

    if (!c->walk) {
        int fd = directory_open(store_of(c)->path, &c->result);

        if (fd < 0)
            return 0;
        r = walk_new(fd, c->key, c->after, &c->walk) < 0 ? -ENOMEM : 1;
    }
    while (r > 0 && c->n_listed < BATCH && !atomic_load(&c->stop)) {
        r = walk_next(c->walk, &e);
        if (r > 0 && add_listed(c, &e) < 0)
            r = -ENOMEM;
    }
    c->last = r == 0;
    if (r < 0) /* part of a listing would be wrong */
        entry_explain(r, "list", store_of(c)->path, c->walk ? walk_where(c->walk) : "", &c->result);
    return 0;
}

static void on_listed(struct disk_job *job, int r)
{
    struct file_call *c = call_of(job);

    r = 0;
    for (size_t i = 0; r >= 0 && i < c->n_listed && !atomic_load(&c->stop); i++)
        r = c->object(c->userdata, c->listed[i].key, c->listed[i].size, c->listed[i].modified);
    forget_listed(c);
    if (r < 0)
        refused_by_handler(c, r);
    if (c->result.end == STORE_DONE && !c->last && !atomic_load(&c->stop))
        disk_submit(store_of(c)->disk, &c->job);
    else
        finish(c);
}

static int file_list(struct store *s, const char *prefix, const char *after, store_object_fn object,
                     store_done_fn done, void *userdata, struct store_call **ret)
{
    struct file_call *c = call_new(s, prefix, done, userdata, run_list);

    if (!c)
        return -ENOMEM;
    c->object = object;
    c->job.done = on_listed;
    c->after = strdup(after ? after : "");
    c->listed = calloc(BATCH, sizeof(*c->listed));
    if (!c->after || !c->listed) {
        call_free(c);
        return -ENOMEM;
    }
    return begin(c, ret);
}

/* A cancelled call holds a reference to the store until its thread's end reaches the loop; for ever
 * if the loop has ended. */
static void file_free(struct store *base)
{
    unref((struct file_store *)base);
}

static const struct store_ops ops = {
    .put = file_put,
    .head = file_head,
    .get = file_get,
    .list = file_list,
    .cancel = file_cancel,
    .free = file_free,
};

static const char *path_fault(const char *url)
{
    const char *path = url + strlen(SCHEME);

    if (strncmp(url, SCHEME, strlen(SCHEME)) != 0 || path[0] != '/')
        return "url: must be file:// and an absolute path, as in file:///srv/traces";
    if (strlen(path) > PATH_LENGTH_MAX)
        return "url: the path is longer than 2048 bytes";
    if (segments_climb(path))
        return "url: the path has a part `..`, which leads elsewhere where a link stands before it: "
               "write the directory without it";
    for (const char *p = path; *p; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return "url: the path has a control character";
    }
    return NULL;
}

int file_check(const struct upload_config *u, char why[static STORE_TEXT_MAX])
{
    const char *fault = path_fault(u->url);

    if (!fault)
        return 0;
    (void)snprintf(why, STORE_TEXT_MAX, "%s", fault);
    return -EINVAL;
}

/* The path without slashes at its end, except for the root. */
static char *path_of(const char *url)
{
    const char *path = url + strlen(SCHEME);
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    return strndup(path, n);
}

int file_new(const struct store_context *context, const struct upload_config *u, struct store **ret)
{
    struct file_store *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return -ENOMEM;
    s->base.ops = &ops;
    s->if_none_match = u->if_none_match;
    s->refs = 1;
    s->path = path_of(u->url);
    s->base.description = s->path ? malloc(strlen(s->path) + sizeof(SCHEME)) : NULL;
    r = mark_init(&s->mark, context->memory, u->require_mount);
    if (r >= 0)
        r = s->base.description ? disk_new(context->event, &s->disk) : -ENOMEM;
    if (r < 0) {
        unref(s);
        return r;
    }
    (void)sprintf(s->base.description, SCHEME "%s", s->path);
    *ret = &s->base;
    return 0;
}
