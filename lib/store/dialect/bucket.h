/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The address of an s3:// URL: scheme, host and path for requests. Pure. Its paths are not encoded
 * (sigv4.h does that). Source: Amazon S3 User Guide, "Virtual hosting of buckets" and "Bucket
 * naming rules".
 */

#include <stdbool.h>

#include "base/buf.h"

enum bucket_style {
    BUCKET_STYLE_AUTO, /* path if an endpoint is configured or the name has a dot, else virtual */
    BUCKET_STYLE_PATH, /* https://host/bucket/key */
    BUCKET_STYLE_VIRTUAL, /* https://bucket.host/key */
};

/* Borrowed during bucket_init only. */
struct bucket_options {
    const char *url; /* s3://bucket or s3://bucket/prefix */
    /* http(s)://host[:port][/path] of a server that speaks S3; NULL: Amazon's. */
    const char *endpoint;
    const char *region; /* NULL: us-east-1, which other S3 servers accept */
    enum bucket_style style;
    unsigned wishes; /* PARTITION_…, of Amazon's hosts */
};

struct bucket {
    bool https;
    char *host; /* as the Host header says it */
    char *root; /* the endpoint's path: "", "/s3" */
    char *base; /* the path before the key: "/", "/prefix/", "/s3/bucket/prefix/" */
    char *region;
    char *name;
    char *prefix; /* before each key: "" or "a/b/" */
};

/* 0, -ENOMEM, or -EINVAL with *ret_why (static text, for the option that it names). */
int bucket_init(struct bucket *b, const struct bucket_options *o, const char **ret_why);
void bucket_done(struct bucket *b);

/* What is wrong with the prefix of keys, as static text about the URL; NULL: nothing. */
const char *bucket_check_prefix(const char *prefix);

/* Appends the path of the bucket itself, for listings. 0 or -ENOMEM. */
int bucket_add_own_path(const struct bucket *b, struct buf *out);

/* Appends an object's path for signing, or its URL for the request. 0, -ENOMEM or -E2BIG. */
int bucket_add_path(const struct bucket *b, const char *key, struct buf *out);
int bucket_add_url(const struct bucket *b, const char *key, struct buf *out);
