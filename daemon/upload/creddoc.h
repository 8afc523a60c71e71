/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The documents by which credentials arrive: JSON from the container's endpoint and from IMDS, XML
 * from STS. Nothing of a document is kept but what goes into the set, and what the parsers held is
 * wiped. A text for people names codes and messages of the service, with whatever looks like a key
 * or a token left out.
 */

#include <stddef.h>

#include "daemon/upload/secret.h"

#define CREDDOC_MAX (64u << 10) /* bytes of a document */

/*
 * Call once, before there are threads: jansson wipes what it frees from then on. The parsers work
 * without it, but leave copies in memory that was freed.
 */
void creddoc_setup(void);

/*
 * The endpoint's JSON: AccessKeyId, SecretAccessKey, Token, Expiration, and Code, which says
 * "Success" or, though the reply was a 200, what went wrong. Without an Expiration the set never
 * expires. 0, -EINVAL or -ENOMEM, both with a text. `ret` as for secret_make.
 */
int creddoc_parse_json(const char *text, size_t n, struct secret_set *ret, char *why,
                       size_t why_size);

/*
 * STS's reply to AssumeRoleWithWebIdentity, or its ErrorResponse. As creddoc_parse_json, but an
 * Expiration must be there.
 */
int creddoc_parse_xml(const char *text, size_t n, struct secret_set *ret, char *why,
                      size_t why_size);

/*
 * The JSON of Google's metadata server: access_token, expires_in (seconds from `now`, real time)
 * and token_type, which is Bearer; or error and error_description. As creddoc_parse_json.
 */
int creddoc_parse_google(const char *text, size_t n, usec now, struct secret_set *ret, char *why,
                         size_t why_size);
