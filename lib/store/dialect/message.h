/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A request for HTTP: method, URL and header lines, owned and wiped. Pure.
 */

#include <stddef.h>

#include "base/buf.h"
#include "lib/net/http.h"

#define MESSAGE_HEADERS_MAX 64
#define MESSAGE_URL_MAX (16u << 10)

struct message {
    const char *method; /* static */
    struct buf url;
    struct http_header headers[MESSAGE_HEADERS_MAX]; /* names and values are owned */
    size_t n_headers;
};

void message_init(struct message *m, const char *method);

/* Wipes and releases, as headers and URLs may have signatures and tokens. */
void message_done(struct message *m);

/* Adds a header; both texts are copied. 0, -ENOMEM, or -E2BIG when there are too many. */
int message_add(struct message *m, const char *name, const char *value);

/* The same, but nothing where there is no value. */
int message_add_if(struct message *m, const char *name, const char *value);

/*
 * Adds a metadata header with `prefix` in front of its name. '%' and everything but visible ASCII
 * is percent-encoded; a value is cut at 1 KiB. As message_add.
 */
int message_add_meta(struct message *m, const char *prefix, const char *name, const char *value);

/* Adds "Authorization: Bearer TOKEN". As message_add. */
int message_add_bearer(struct message *m, const char *token);
