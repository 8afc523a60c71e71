/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Signs requests with the key of an Azure storage account: scheme SharedKey of the Blob service,
 * versions since 2015-02-21. Pure. Source: Azure Storage REST API, "Authorize with Shared Key".
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define SHAREDKEY_TEXT_MAX (32u << 10) /* bytes of what is signed */

/* Names and values are not encoded. */
struct sharedkey_pair {
    const char *name, *value;
};

/* All borrowed. */
struct sharedkey_request {
    const char *method;
    const char *account;
    const char *path; /* encoded, as in the URL; starts with '/' */
    const struct sharedkey_pair *query;
    size_t n_query;
    /* All headers that will be sent, in any order; no x-ms- header twice. */
    const struct sharedkey_pair *headers;
    size_t n_headers;
    uint64_t content_length;
};

/* Appends the string to sign. 0, -ENOMEM, or -E2BIG. */
int sharedkey_text(const struct sharedkey_request *q, struct buf *text);

/*
 * Appends "SharedKey ACCOUNT:SIGNATURE", the value of Authorization. `key` is base64, as Azure
 * hands it out. 0, -EINVAL when it is not, -ENOMEM, or -E2BIG.
 */
int sharedkey_sign(const struct sharedkey_request *q, const char *key, struct buf *authorization);
