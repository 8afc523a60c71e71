/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How one protocol of object storage is spoken: S3, Azure's, Google's, plain PUT. A dialect turns
 * what is wanted into a message for HTTP, signed. It opens no socket and keeps no secret;
 * remote.c, which does the asking, is the same for all of them.
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
    const char *key;                   /* behind the configured prefix; list: the keys' beginning */
    const struct store_object *object; /* put; its sha256 is known */
    bool checksum;                     /* put: with a header of its own for the hash */
    const char *after;                 /* list: keys after this one; NULL or "": all */
    const char *token;                 /* list: the next page; NULL: the first */
};

/* "PUT" and its like; a listing is a GET. */
const char *dialect_method(enum dialect_verb verb);

struct dialect;

struct dialect_ops {
    /*
     * Writes the message of a request. `secrets` is NULL for a dialect without an identity, `now`
     * real time by the store's clock. 0, -ENOMEM, -E2BIG, or another errno with a text in `why`
     * (STORE_TEXT_MAX bytes): a secret's file that can't be read, for one.
     */
    int (*compose)(const struct dialect *d, const struct dialect_request *q,
                   const struct secret_set *secrets, usec now, struct message *ret, char *why);
    /* The store named another region for the bucket: 0, or -EINVAL if it is none to be trusted.
     * NULL: there are no regions. */
    int (*move)(struct dialect *d, const char *region);
    void (*free)(struct dialect *d);
};

enum dialect_identity {
    DIALECT_IDENTITY_NONE,   /* the dialect reads its own secrets, anew for each message */
    DIALECT_IDENTITY_AWS,    /* access key and secret key */
    DIALECT_IDENTITY_GOOGLE, /* a bearer token, as Azure's */
    DIALECT_IDENTITY_AZURE,
};

struct dialect {
    const struct dialect_ops *ops;
    enum dialect_identity identity;
    const char *region;      /* the one that is signed for; NULL: there are none */
    const char *meta_prefix; /* of the headers that carry meta data: "x-amz-meta-" */
    bool s3;                 /* what it refuses may be a permission or a header of S3 */
    const char *access_hint; /* else: what to do when it refuses access; NULL: nothing special */
    bool forgets_meta;       /* … which the server may not keep */
    const char *prefix;      /* before each key: "" or "a/b/" */
    bool lists;              /* the protocol has listings */
    bool conditional;        /* a PUT says If-None-Match: * */
    bool expect_continue;    /* worth asking before a large body is sent */
    bool checksum;           /* PUTs may have a header of their own for the hash */
    char *ca_file;           /* where the section names none; malloc'ed, taken by remote.c */
    char *description;       /* "s3://bucket/prefix (eu-west-1)"; malloc'ed, taken by remote.c */
};

/*
 * 0, -ENOMEM, or -EINVAL with a text for people (STORE_TEXT_MAX bytes): what is wrong with the
 * section for this kind of URL. *ret is released by its ops->free. s3_compatible is s3_dialect
 * without what the environment and a profile say of Amazon's services.
 */
int s3_dialect(const struct upload_config *u, struct dialect **ret, char *why);
int s3_compatible(const struct upload_config *u, struct dialect **ret, char *why);
int gs_dialect(const struct upload_config *u, struct dialect **ret, char *why);
int az_dialect(const struct upload_config *u, struct dialect **ret, char *why);
int plain_dialect(const struct upload_config *u, struct dialect **ret, char *why);
