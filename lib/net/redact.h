/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What others say of a request may be what they were sent. Before it is told to anybody it goes
 * through here: the secrets in use are left out, whatever they look like, and so are words that look
 * like a secret. It knows the secrets of a request by the request itself, and others if it is told.
 */

#include <stddef.h>

#include "base/buf.h"
#include "lib/net/http.h"

#define REDACT_MAX (256u << 10) /* bytes of all secrets of one request */
#define REDACTED "[...]"

/* Zero is one that knows no secret. */
struct redact {
    struct buf secrets; /* with a zero behind each; wiped */
};

void redact_init(struct redact *r);

/* Wipes; it knows nothing afterwards. */
void redact_done(struct redact *r);

/* Adds a secret; NULL and "" are none. 0, -E2BIG or -ENOMEM. */
int redact_add(struct redact *r, const char *secret);

/*
 * Adds what the request would carry: tokens and passwords in its headers (of Basic the pair, and the
 * password alone), in the query and before the host of its URL, and the user and password of the
 * proxy that it goes through. Signatures are not among them, which are good for one request alone.
 * As redact_add.
 */
int redact_request(struct redact *r, const struct http_options *o);

enum {
    /* Also any long word with a digit: for services whose answers are keys. */
    REDACT_KEYS = 1 << 0,
    /* Also what stands behind '=', in a URL beside its host, behind "password:" and its like: for
     * programs whose secrets nobody knows. */
    REDACT_PAIRS = 1 << 1,
    /* Only the secrets that are known: for names that look like one. */
    REDACT_KNOWN = 1 << 2,
    /* It is escaped already. */
    REDACT_ESCAPED = 1 << 3,
};

/*
 * Appends the first `show` bytes of the text, escaped as by buf_add_escaped, with REDACTED in the
 * place of each secret; the `n` bytes that are known show whether one goes on behind them. A secret
 * that the end of the text cuts is found, and so is one that was quoted for JSON, HTML or a URL. One
 * of less than four bytes is left out where it is a word of its own.
 */
void redact_text(const struct redact *r, unsigned flags, const char *text, size_t n, size_t show,
                 struct buf *out);
