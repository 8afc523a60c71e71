/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Signs requests with the key of an Azure storage account: the scheme SharedKey of the Blob
 * service, as it is since version 2015-02-21. It computes and nothing else.
 *
 * Source: Azure Storage REST API, "Authorize with Shared Key".
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define SHAREDKEY_TEXT_MAX (32u << 10) /* bytes of what is signed */

/* Names and values as they are meant: not encoded. */
struct sharedkey_pair {
    const char *name, *value;
};

/* All borrowed. */
struct sharedkey_request {
    const char *method;
    const char *account;
    const char *path; /* encoded, as in the URL; begins with '/' */
    const struct sharedkey_pair *query;
    size_t n_query;
    /* All that will be sent, in any order; of the x-ms- ones none twice. */
    const struct sharedkey_pair *headers;
    size_t n_headers;
    uint64_t content_length;
};

/* Appends the text that is signed. 0, -ENOMEM, or -E2BIG. */
int sharedkey_text(const struct sharedkey_request *q, struct buf *text);

/*
 * Appends "SharedKey ACCOUNT:SIGNATURE", the value of Authorization. `key` is base64, as Azure
 * hands it out. 0, -EINVAL when it is not, -ENOMEM, or -E2BIG.
 */
int sharedkey_sign(const struct sharedkey_request *q, const char *key, struct buf *authorization);
