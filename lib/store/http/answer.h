/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a store answered to one request, apart from an object's bytes and listings: the headers that
 * matter, and the error document in front of whatever follows it. Bounded, and not trusted. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/net/http.h"
#include "lib/net/redact.h"
#include "lib/store/dialect/xmlreply.h"
#include "lib/store/http/reply.h"
#include "lib/store/interface/store.h"

#define ANSWER_SAID_MAX 100 /* bytes of a body without a code that are quoted */

struct answer {
    char date[48], retry_after[48];
    char code[64], region[64], request_id[128]; /* of headers; the document may name them, too */
    char sha256[STORE_SHA256_SIZE];             /* of the object, by its meta data */
    bool sized;
    uint64_t size; /* Content-Length, if sized */
    struct xmlreply_error error;
    struct xmlreply *xml; /* NULL: there was no body yet */
    size_t body;          /* bytes of it */
    char said[ANSWER_SAID_MAX];
    size_t n_said;
};

/* Empty. */
void answer_init(struct answer *a);
void answer_done(struct answer *a);

/* A line of the head; meta_prefix as in struct dialect. */
void answer_header(struct answer *a, const char *meta_prefix, const char *name, const char *value);

/* A piece of a body that is no object. 0, -ENOMEM, or -E2BIG: no more of it is of any use. */
int answer_body(struct answer *a, const void *data, size_t n);

/* The facts that come from the answer; borrowed. */
void answer_facts(const struct answer *a, struct reply_facts *f);

/* "403 AccessDenied: no (request 4711); check …", safe to print. `result` is how it ended; `secrets`
 * are those that the request was made with, or NULL. */
void answer_text(const struct answer *a, const struct http_result *result,
                 const struct redact *secrets, const char *hint, char out[static STORE_TEXT_MAX]);
