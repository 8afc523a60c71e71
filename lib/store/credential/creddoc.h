/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The documents by which credentials arrive: JSON from metadata services, portals and processes, XML
 * from STS. Nothing of a document is kept but what goes into the set, and what the parsers held is
 * wiped. A text for people names codes and messages of the service, with whatever looks like a key
 * or a token left out; the secrets in use are for whoever knows them to leave out.
 */

#include <stddef.h>

#include "lib/store/credential/secret.h"

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
 * STS's reply to AssumeRoleWithWebIdentity or AssumeRole, or its ErrorResponse. As creddoc_parse_json, but an
 * Expiration must be there.
 */
int creddoc_parse_xml(const char *text, size_t n, struct secret_set *ret, char *why,
                      size_t why_size);

/*
 * What a credential_process prints: as creddoc_parse_json, with Version, which is 1, and
 * SessionToken.
 */
int creddoc_parse_process(const char *text, size_t n, struct secret_set *ret, char *why,
                          size_t why_size);

/* The reply of IAM Identity Center's portal to GetRoleCredentials. */
int creddoc_parse_sso(const char *text, size_t n, struct secret_set *ret, char *why,
                      size_t why_size);

/*
 * A token of OAuth, as Google and Azure give it: access_token, token_type, which is Bearer, and
 * expires_in (seconds from `now`, real time) or expires_on (since 1970), each a number or a string
 * of one; or error and error_description.
 */
int creddoc_parse_token(const char *text, size_t n, usec now, struct secret_set *ret, char *why,
                        size_t why_size);

/* The reply of Google's IAM to generateAccessToken. */
int creddoc_parse_impersonated(const char *text, size_t n, struct secret_set *ret, char *why,
                               size_t why_size);
