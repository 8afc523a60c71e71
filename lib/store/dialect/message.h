/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A request as it will be handed to HTTP: method, URL and header lines, owned and wiped. Pure.
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

/* Wipes: headers hold signatures and tokens, and URLs may, too. */
void message_done(struct message *m);

/* Adds a header; both texts are copied. 0, -ENOMEM, or -E2BIG when there are too many. */
int message_add(struct message *m, const char *name, const char *value);

/*
 * Adds a header of meta data, `prefix` before its name: whatever is not visible ASCII, or is '%',
 * is percent-encoded, and a value of more than 1 KiB is cut. As message_add.
 */
int message_add_meta(struct message *m, const char *prefix, const char *name, const char *value);

/* Adds "Authorization: Bearer TOKEN". As message_add. */
int message_add_bearer(struct message *m, const char *token);
