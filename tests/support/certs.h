/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A certificate authority for one test: keys and certificates made on the spot, as PEM files in a
 * directory. Every failure ends the test program.
 */

struct certs;

/* Writes ca.pem into the directory. */
struct certs *certs_new(const char *dir);
void certs_free(struct certs *c);

/* Writes <name>.pem and <name>.key, signed by the authority, for this subjectAltName
 * ("DNS:localhost,IP:127.0.0.1"; NULL: none). */
void certs_issue(struct certs *c, const char *name, const char *alt_names);
