/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Removes secrets from text of other programs, which may repeat what they were sent: the secrets in
 * use, and words that look like a secret. The secrets in use are read from the request itself;
 * others are added by the caller.
 */

#include <stddef.h>

#include "base/buf.h"
#include "lib/net/http.h"

#define REDACT_MAX (256u << 10) /* bytes of all secrets of one request */
#define REDACTED "[...]"

/* All zero: no secrets are known. */
struct redact {
    struct buf secrets; /* each followed by a zero; wiped */
};

void redact_init(struct redact *r);

/* Wipes it; no secrets are known afterwards. */
void redact_done(struct redact *r);

/* Adds a secret; NULL and "" are none. 0, -E2BIG or -ENOMEM. */
int redact_add(struct redact *r, const char *secret);

/*
 * Adds the secrets of a request: tokens and passwords in its headers (of Basic the pair and the
 * password), in the query and before the host of its URL, and user and password of its proxy.
 * Signatures are left out, as each is valid for one request only. As redact_add.
 */
int redact_request(struct redact *r, const struct http_options *o);

enum {
    /* Also any long word with a digit, for services whose answers are keys. */
    REDACT_KEYS = 1 << 0,
    /* Also values behind '=', behind "password:" and similar words, and in URLs the query and what
     * stands before the host, for programs whose secrets are unknown. */
    REDACT_PAIRS = 1 << 1,
    /* Only known secrets, for names that may look like a secret. */
    REDACT_KNOWN = 1 << 2,
    /* It is escaped already. */
    REDACT_ESCAPED = 1 << 3,
};

/*
 * Appends the first `show` bytes of a text of `n` bytes, escaped as by buf_add_escaped, with
 * REDACTED in place of each secret. Finds secrets that extend beyond `show`, that the end of the
 * text cuts, or that are quoted for JSON, HTML or a URL. A secret of less than four bytes is found
 * only as a separate word.
 */
void redact_text(const struct redact *r, unsigned flags, const char *text, size_t n, size_t show,
                 struct buf *out);
