/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A store's answer to one request, apart from an object's bytes and listings: the relevant headers
 * and the error document. Bounded, and not trusted. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/net/http.h"
#include "lib/net/redact.h"
#include "lib/store/dialect/xmlreply.h"
#include "lib/store/http/reply.h"
#include "lib/store/interface/store.h"

#define ANSWER_SAID_MAX 100 /* bytes that are quoted of a body without an error code */

struct answer {
    char date[48], retry_after[48];
    char code[64], region[64], request_id[128]; /* from headers; the document may have them, too */
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

/* A piece of a body that is no object. 0, -ENOMEM, or -E2BIG: the rest need not be read. */
int answer_body(struct answer *a, const void *data, size_t n);

/* Fills in the facts that the answer has; borrowed. */
void answer_facts(const struct answer *a, struct reply_facts *f);

/* "403 AccessDenied: no (request 4711); check …", safe to print. `result` is the end of the
 * request; `secrets` are those that it was made with, or NULL. */
void answer_text(const struct answer *a, const struct http_result *result,
                 const struct redact *secrets, const char *hint, char out[static STORE_TEXT_MAX]);
