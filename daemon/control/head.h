/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whether a request's head says one thing only: pure rules. Where two programs in a row could read
 * it in two ways, as where a body ends, or whose request it is, one could be made to let pass what
 * the other should have kept out (RFC 9112, sections 5.1 and 6.3). Such a request is refused, and
 * its connection closed. What the server's library refuses by itself is not here.
 */

#include <stdbool.h>
#include <stddef.h>

#define HEAD_ARGUMENTS_MAX 100 /* of a query: the library has no room for many more */

/* Zeroed before the first header, but for the version. */
struct head {
    bool http_1_0;
    unsigned seen[8]; /* how often each header that may come once did */
    const char *fault;
};

/* A header of the request, one after the other. */
void head_add(struct head *h, const char *name, const char *value);

/* NULL, or what is wrong, for people. */
const char *head_fault(const struct head *h);

/* True if the query of a request's target has more arguments than HEAD_ARGUMENTS_MAX. */
bool head_many_arguments(const char *target);
