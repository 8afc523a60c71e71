/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A dialect is a protocol of object storage: S3, Azure's, Google's, plain PUT. It turns a request
 * for a store into a signed HTTP message. It opens no socket and keeps no secret; remote.c sends
 * the messages of all dialects.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/clock.h"
#include "lib/store/credential/secret.h"
#include "lib/store/dialect/message.h"
#include "lib/store/interface/store.h"

enum dialect_verb {
    DIALECT_PUT,
    DIALECT_HEAD,
    DIALECT_GET,
    DIALECT_LIST,
};

/* All borrowed. */
struct dialect_request {
    enum dialect_verb verb;
    const char *key; /* without the configured prefix; list: how keys must start */
    const struct store_object *object; /* put; its sha256 is known */
    bool checksum;                     /* put: with a header of its own for the hash */
    const char *after;                 /* list: keys after this one; NULL or "": all */
    const char *token;                 /* list: the next page; NULL: the first */
};

/* "PUT" and its like; a listing is a GET. */
const char *dialect_method(enum dialect_verb verb);

struct dialect;

/* A copy of a text of the section; nothing where there is none. 0 or -ENOMEM. */
int dialect_copy(char **to, const char *from);

/*
 * How compose() ends: hands the message over or, at an error `r`, wipes it and writes a text to
 * `why` where none stands yet. Returns `r`.
 */
int dialect_composed(int r, struct message *m, struct message *ret, char *why);

struct dialect_ops {
    /*
     * Writes the message of a request. `secrets` is NULL for a dialect without an identity; `now`
     * is real time by the store's clock. 0, -ENOMEM, -E2BIG, or another negative errno with a text
     * in `why` (STORE_TEXT_MAX bytes), such as for a secret file that cannot be read.
     */
    int (*compose)(const struct dialect *d, const struct dialect_request *q,
                   const struct secret_set *secrets, usec now, struct message *ret, char *why);
    /* Sets the region that the store named for the bucket: 0, or -EINVAL if that is no valid name.
     * NULL: the dialect has no regions. */
    int (*move)(struct dialect *d, const char *region);
    void (*free)(struct dialect *d);
};

enum dialect_identity {
    DIALECT_IDENTITY_NONE,   /* the dialect reads its own secrets, again for each message */
    DIALECT_IDENTITY_AWS,    /* access key and secret key */
    DIALECT_IDENTITY_GOOGLE, /* a bearer token, as Azure's */
    DIALECT_IDENTITY_AZURE,
};

struct dialect {
    const struct dialect_ops *ops;
    enum dialect_identity identity;
    const char *region;      /* the region that requests are signed for; NULL: none */
    const char *meta_prefix; /* of the headers that carry meta data: "x-amz-meta-" */
    bool s3;                 /* refusals may be about S3's permissions or headers */
    const char *access_hint; /* otherwise: advice when it refuses access; NULL: none */
    bool forgets_meta;       /* metadata may be dropped by the server */
    const char *prefix;      /* before each key: "" or "a/b/" */
    bool lists;              /* the protocol has listings */
    bool conditional;        /* a PUT says If-None-Match: * */
    bool expect_continue;    /* send Expect: 100-continue before a large body */
    bool checksum;           /* PUTs may have a header of their own for the hash */
    char *ca_file;           /* where the section names none; malloc'ed, taken by remote.c */
    char *description;       /* "s3://bucket/prefix (eu-west-1)"; malloc'ed, taken by remote.c */
};

/*
 * How the functions below end: hands the dialect over or, at an error `r`, frees it and copies
 * `wrong` to `why`, unless it is NULL. Returns `r`.
 */
int dialect_made(int r, struct dialect *d, const char *wrong, struct dialect **ret, char *why);

/*
 * Make a dialect. 0, -ENOMEM, or -EINVAL with a text for people (STORE_TEXT_MAX bytes): what is
 * wrong with the section for this kind of URL. Release *ret by its ops->free. s3_compatible is
 * s3_dialect without settings of the environment and of AWS profiles.
 */
int s3_dialect(const struct upload_config *u, struct dialect **ret, char *why);
int s3_compatible(const struct upload_config *u, struct dialect **ret, char *why);
int gs_dialect(const struct upload_config *u, struct dialect **ret, char *why);
int az_dialect(const struct upload_config *u, struct dialect **ret, char *why);
int plain_dialect(const struct upload_config *u, struct dialect **ret, char *why);
