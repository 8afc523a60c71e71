/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A JSON Web Token signed with RSA and SHA-256 (RS256), in its compact form. Pure.
 *
 * Source: RFC 7515, RFC 7518 section 3.3.
 */

#include "base/buf.h"

/*
 * Appends the token. `pem` is a private key without a passphrase. 0, -EINVAL for what is no such
 * key, -E2BIG, -ENOMEM, or -EIO when libcrypto fails.
 */
int jwt_rs256(const char *header, const char *claims, const char *pem, struct buf *ret);
