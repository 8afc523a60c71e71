/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A store of objects: a bucket, a container, a server that accepts PUT, a directory. One interface
 * for all. A store reports the result of each request. It repeats a request by itself only when one
 * more try can settle the matter at once: with fresh credentials, a corrected clock or another
 * region. The caller decides when to try again later.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/disk.h"
#include "lib/config/config.h"
#include "lib/net/http.h"

#define STORE_TEXT_MAX 512
#define STORE_SHA256_SIZE 65 /* lower-case hex and its zero */

struct store;
struct store_call; /* one request under way */

/* Metadata of an object: x-amz-meta-NAME and its like. */
struct store_meta {
    const char *name;  /* lower case, [a-z0-9-]+ */
    const char *value; /* any text; what a header can't hold is percent-encoded */
};

/* An object to store; everything is borrowed until the call has ended. */
struct store_object {
    const char *key;  /* without the configured prefix */
    const void *data; /* the bytes in memory, or NULL: */
    int fd;           /* … the first `size` bytes of this regular file, read with pread(2) */
    uint64_t size;
    const char *sha256; /* of the bytes, lower-case hex; NULL: not known */
    const char *content_type;
    const struct store_meta *meta;
    size_t n_meta;
    bool replace; /* overwrite an existing object, even if if_none_match is set */
};

enum store_end {
    STORE_DONE,    /* done; the store has confirmed it */
    STORE_RETRY,   /* a temporary error: try the same again later */
    STORE_PARKED,  /* a person must act: every object would fail */
    STORE_REFUSED, /* this object will never be accepted, or another one has its key */
    STORE_CHANGED, /* the local file does not match its hash */
    STORE_MISSING, /* get, head: there is no such object */
    STORE_LOCAL,   /* memory, descriptors or a file of this machine: not the store's fault */
    STORE_END_COUNT,
};

struct store_result {
    enum store_end end;
    bool trouble;                   /* counts as a failure for the store's breaker */
    usec retry_after;               /* how long the store asked us to wait; 0: it did not */
    uint64_t size;                  /* get, head: of the object */
    char sha256[STORE_SHA256_SIZE]; /* get, head: the hash in its metadata; "" if there is none */
    /* What happened and what to do, for people; "" if all is well. No secrets, no control
     * characters. */
    char text[STORE_TEXT_MAX];
};

/* Called once, from the event loop, never from the function that started the call. */
typedef void (*store_done_fn)(void *userdata, const struct store_result *result);

/* A piece of an object. 0, or a negative errno, which ends the call with STORE_LOCAL. */
typedef int (*store_body_fn)(void *userdata, const void *data, size_t n);

/* An object of a listing. Keys ascend; `key` is without the configured prefix and valid during the
 * call. The result is as store_body_fn's. */
typedef int (*store_object_fn)(void *userdata, const char *key, uint64_t size, usec modified);

/* Borrowed until store_free, but the configuration only during store_new. */
struct store_context {
    sd_event *event;
    struct http *http; /* for this store alone: it keeps few connections */
    struct disk *disk;
    const char *memory; /* a file in which the store may remember something, or NULL */
};

/* Every call must have ended. NULL is fine. */
void store_free(struct store *s);

/* For log lines: "s3://bucket/prefix (eu-west-1)"; no secret. */
const char *store_describe(const struct store *s);

/* Real time at which the credentials in use expire; USEC_NEVER: never, or there are none. */
usec store_credentials_expiry(const struct store *s);

/*
 * These begin a call: 0, or -ENOMEM and nothing has begun. *ret is valid until done is called.
 *   put   stores an object under its key; the same object again is no error
 *   head  size and hash of an object
 *   get   an object's bytes
 *   list  all objects whose keys begin with `prefix` ("" for all) and come after `after` ("" or
 *         NULL: from the first on)
 */
int store_put(struct store *s, const struct store_object *object, store_done_fn done,
              void *userdata, struct store_call **ret);
int store_head(struct store *s, const char *key, store_done_fn done, void *userdata,
               struct store_call **ret);
int store_get(struct store *s, const char *key, store_body_fn body, store_done_fn done,
              void *userdata, struct store_call **ret);
int store_list(struct store *s, const char *prefix, const char *after, store_object_fn object,
               store_done_fn done, void *userdata, struct store_call **ret);

/* Cancels a call; done is not called. NULL is fine. */
void store_cancel(struct store_call *c);

/* The name for logs and metrics: "done", "retry", … */
const char *store_end_name(enum store_end end);
