/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_TEST_COMPOSE_H
#define CONTRACE_TEST_COMPOSE_H

/*
 * Composes messages of a dialect so that tests can look at them. Every failure here fails the test.
 */

#include "lib/store/dialect/dialect.h"

#define COMPOSE_NOW ((usec)1773480413 * USEC_PER_SEC) /* Sat, 14 Mar 2026 09:26:53 GMT */

typedef int compose_new_fn(const struct upload_config *u, struct dialect **ret, char *why);

/* Makes a dialect of a section `upload`. */
struct dialect *compose_dialect(compose_new_fn *make, const struct upload_config *u);

/* The error for a section that is wrong, in a static buffer. */
const char *compose_fault(compose_new_fn *make, const struct upload_config *u);

/* Composes the message. Release it with message_done. */
struct message compose(const struct dialect *d, const struct dialect_request *q,
                       const struct secret_set *secrets);

/* The value of a header, or NULL. */
const char *compose_header(const struct message *m, const char *name);

/* A PUT of 5 bytes with the meta data service and sha256. */
extern const struct store_object compose_object;

#endif
