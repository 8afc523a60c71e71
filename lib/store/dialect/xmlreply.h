/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads the XML that stores answer with, as it arrives: error documents (S3, STS, Google, Azure)
 * and pages of listings (ListObjectsV2, Azure's List Blobs). Everything is bounded: bytes, depth,
 * names and texts; a document type, and with it every entity of the document's own, is refused.
 * What is read is the store's word and not trusted: what goes into host names or log words is
 * checked here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define XMLREPLY_ERROR_MAX (64u << 10) /* bytes of an error document */
#define XMLREPLY_LIST_MAX (4u << 20)   /* bytes of a page; S3 puts at most 1000 keys into one */
#define XMLREPLY_KEY_SIZE 3073         /* a key of 1024 bytes, all percent-encoded, and a zero */
#define XMLREPLY_TOKEN_SIZE 4096

/* Whatever was understood; "" otherwise. Texts that are too long are cut. */
struct xmlreply_error {
    char code[64];        /* [A-Za-z0-9._-]* */
    char message[256];    /* anything: escape it before it is shown */
    char region[64];      /* [A-Za-z0-9._-]* */
    char endpoint[256];   /* [A-Za-z0-9._:-]* */
    char request_id[128]; /* printable ASCII */
    char server_time[40]; /* printable ASCII */
};

struct xmlreply_object {
    const char *key; /* borrowed; never empty */
    uint64_t size;
    usec last_modified; /* real time; 0 when the store told none */
};

struct xmlreply_page {
    bool truncated;                 /* there is another page, */
    char next[XMLREPLY_TOKEN_SIZE]; /* reached with this token */
    bool url_encoded;               /* keys are percent-encoded (encoding-type=url was asked for) */
};

/* One object of a listing. 0, or a negative errno, which ends the reading with it. */
typedef int xmlreply_object_handler(void *userdata, const struct xmlreply_object *object);

struct xmlreply;

/* A reader of one error document. `into` is emptied now and filled while reading. 0 or -ENOMEM. */
int xmlreply_new_error(struct xmlreply_error *into, struct xmlreply **ret);

/* A reader of one page; `page` is complete after xmlreply_finish. 0 or -ENOMEM. */
int xmlreply_new_list(struct xmlreply_page *page, xmlreply_object_handler *object, void *userdata,
                      struct xmlreply **ret);

void xmlreply_free(struct xmlreply *x);

/*
 * The next n bytes. 0, or for good: -EBADMSG (not XML, or not such a document), -E2BIG (over a
 * bound), -ENOMEM, or what the handler said. Of an error document the failure may be ignored:
 * what was understood stands.
 */
int xmlreply_feed(struct xmlreply *x, const void *data, size_t n);

/* The end. As xmlreply_feed; a listing that is cut, or is none, is -EBADMSG. */
int xmlreply_finish(struct xmlreply *x);
