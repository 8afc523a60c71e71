/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Parses documents with credentials: JSON of metadata services, portals and processes, XML of STS.
 * Only the credentials are kept; the parsers' memory is wiped. Error texts quote the service's code
 * and message, without anything that looks like a key or a token. The caller removes the secrets
 * that it knows.
 */

#include <stddef.h>

#include "lib/store/credential/secret.h"

#define CREDDOC_MAX (64u << 10) /* bytes of a document */

/*
 * Makes jansson wipe memory when it frees it. Call once, before threads start. Without it the
 * parsers work, but leave copies of secrets in freed memory.
 */
void creddoc_setup(void);

/*
 * JSON of the container or instance endpoint: AccessKeyId, SecretAccessKey, Token, Expiration, and
 * Code, which is "Success" or an error, even with status 200. Without Expiration the credentials
 * never expire. 0, -EINVAL or -ENOMEM, both with a text. `ret` as for secret_make.
 */
int creddoc_parse_json(const char *text, size_t n, struct secret_set *ret, char *why,
                       size_t why_size);

/*
 * STS's reply to AssumeRoleWithWebIdentity or AssumeRole, or its ErrorResponse. As
 * creddoc_parse_json, but Expiration is required.
 */
int creddoc_parse_xml(const char *text, size_t n, struct secret_set *ret, char *why,
                      size_t why_size);

/*
 * The output of a credential_process: as creddoc_parse_json, with SessionToken, and Version 1.
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
