/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads XML answers of stores as they arrive: error documents (S3, STS, Google, Azure) and pages of
 * listings (ListObjectsV2, Azure's List Blobs). Bytes, depth, names and texts are bounded; document
 * types, and so entities, are refused. The content is not trusted: texts that become host names or
 * words in logs are checked here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define XMLREPLY_ERROR_MAX (64u << 10) /* bytes of an error document */
#define XMLREPLY_LIST_MAX (4u << 20)   /* bytes of a page; S3 puts at most 1000 keys into one */
#define XMLREPLY_KEY_SIZE 3073         /* a key of 1024 bytes, all percent-encoded, and a zero */
#define XMLREPLY_TOKEN_SIZE 4096

/* What was found; "" for the rest. Texts that are too long are cut. */
struct xmlreply_error {
    char code[64];        /* [A-Za-z0-9._-]* */
    char message[256];    /* may contain anything: escape it before it is shown */
    char region[64];      /* [A-Za-z0-9._-]* */
    char endpoint[256];   /* [A-Za-z0-9._:-]* */
    char request_id[128]; /* printable ASCII */
    char server_time[40]; /* printable ASCII */
};

struct xmlreply_object {
    const char *key; /* borrowed; never empty */
    uint64_t size;
    usec last_modified; /* real time; 0 if there is none */
};

struct xmlreply_page {
    bool truncated;                 /* there is another page, */
    char next[XMLREPLY_TOKEN_SIZE]; /* reached with this token */
    bool url_encoded;               /* keys are percent-encoded (encoding-type=url was asked for) */
};

/* One object of a listing. 0, or a negative errno, which ends reading with that error. */
typedef int xmlreply_object_handler(void *userdata, const struct xmlreply_object *object);

struct xmlreply;

/* Makes a reader of one error document. `into` is emptied now and filled while reading. 0 or
 * -ENOMEM. */
int xmlreply_new_error(struct xmlreply_error *into, struct xmlreply **ret);

/* Makes a reader of one page; `page` is complete after xmlreply_finish. 0 or -ENOMEM. */
int xmlreply_new_list(struct xmlreply_page *page, xmlreply_object_handler *object, void *userdata,
                      struct xmlreply **ret);

void xmlreply_free(struct xmlreply *x);

/*
 * Reads the next n bytes. 0, or an error that is final: -EBADMSG (not XML, or another document),
 * -E2BIG (beyond a bound), -ENOMEM, or the handler's. For an error document it may be ignored: what
 * was found so far is valid.
 */
int xmlreply_feed(struct xmlreply *x, const void *data, size_t n);

/* The end. As xmlreply_feed; -EBADMSG if a listing is cut or is none. */
int xmlreply_finish(struct xmlreply *x);
