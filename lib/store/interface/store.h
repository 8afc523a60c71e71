/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A place that keeps objects: a bucket, a container, a server that takes PUT, a directory. One
 * interface for all of them. A store answers for one request at a time what came of it; it never
 * waits and tries again by itself, but for what one more try with the same object settles at once:
 * fresh credentials, a corrected clock, another region. When to ask again is the caller's to decide.
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

/* What is known of an object beside its bytes: x-amz-meta-NAME and its like. */
struct store_meta {
    const char *name;  /* lower case, [a-z0-9-]+ */
    const char *value; /* any text; what a header can't hold is percent-encoded */
};

/* What is to be stored; all of it is borrowed until the call has ended. */
struct store_object {
    const char *key;  /* behind the configured prefix */
    const void *data; /* the bytes in memory, or NULL: */
    int fd;           /* … the first `size` bytes of this regular file, read with pread(2) */
    uint64_t size;
    const char *sha256; /* of the bytes, lower-case hex; NULL: not known */
    const char *content_type;
    const struct store_meta *meta;
    size_t n_meta;
    bool replace; /* whatever is there may be overwritten, also where if_none_match is set */
};

enum store_end {
    STORE_DONE,    /* the store has confirmed it */
    STORE_RETRY,   /* trouble that passes: the same again after a wait */
    STORE_PARKED,  /* a person must act; no other object would fare better */
    STORE_REFUSED, /* this one object will never be taken, or is there with other bytes */
    STORE_CHANGED, /* the local bytes are not those that the hash was made of */
    STORE_MISSING, /* get, head: there is no such object */
    STORE_LOCAL,   /* memory, descriptors or a file of this machine; says nothing of the store */
    STORE_END_COUNT,
};

struct store_result {
    enum store_end end;
    bool trouble;                   /* the store is in trouble: a failure for its breaker */
    usec retry_after;               /* what the store asked for; 0: nothing */
    uint64_t size;                  /* get, head: of the object */
    char sha256[STORE_SHA256_SIZE]; /* get, head: as its meta data say; "" when they don't */
    char text[STORE_TEXT_MAX]; /* what happened and what can be done, for people; "" when all is
                                  well; no secret, no control character */
};

/* Called once, from the event loop, never from inside the call that began it. */
typedef void (*store_done_fn)(void *userdata, const struct store_result *result);

/* A piece of an object. 0, or a negative errno, which ends the call with STORE_LOCAL. */
typedef int (*store_body_fn)(void *userdata, const void *data, size_t n);

/* An object of a listing, in ascending order of keys; `key` without the configured prefix and
 * valid during the call. As store_body_fn. */
typedef int (*store_object_fn)(void *userdata, const char *key, uint64_t size, usec modified);

/* Borrowed until store_free; the configuration during store_new only. */
struct store_context {
    sd_event *event;
    struct http *http; /* of the store alone: it keeps few connections */
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

/* Ends a call without a word. NULL is fine. */
void store_cancel(struct store_call *c);

/* The word for logs and metrics: "done", "retry", … */
const char *store_end_name(enum store_end end);
