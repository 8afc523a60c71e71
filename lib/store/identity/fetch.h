/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One HTTP request whose short answer may be secret: it is collected in bounded memory and wiped.
 * Does not interpret the answer and never retries.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "lib/net/http.h"

#define FETCH_MAX (64u << 10) /* bytes of an answer's body */

struct fetch;

struct fetch_reply {
    int error;        /* 0; -EAGAIN: no complete answer; -E2BIG: it is too long; -ENOMEM */
    long status;      /* when there is no error */
    const char *body; /* followed by a zero; wiped after the call */
    size_t body_len;
    const char *text; /* what went wrong */
    bool untrusted;   /* the error is about the certificate or about TLS */
};

/* Called once, unless cancelled; the fetch is freed. */
typedef void (*fetch_fn)(void *userdata, const struct fetch_reply *reply);

/* 0, and fn is called later; or a negative errno of http_start. */
int fetch_start(struct http *http, const struct http_options *options, fetch_fn fn, void *userdata,
                struct fetch **ret);

/* Not from inside fn. NULL is fine. */
void fetch_cancel(struct fetch *f);
