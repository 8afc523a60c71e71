/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Checks that a request's head is unambiguous. If a proxy and this server could read a head in
 * different ways, such as where the body ends or which host is meant, an attacker could get a
 * request past one of them that it should have refused (RFC 9112, sections 5.1 and 6.3). Such a
 * request is refused and its connection closed. Faults that the server's library refuses by itself
 * are not checked here. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#define HEAD_ARGUMENTS_MAX 100 /* arguments of a query; the library has no room for many more */

/* Zero all fields except http_1_0 before the first header. */
struct head {
    bool http_1_0;
    unsigned seen[8]; /* how often each header came that may come only once */
    const char *fault;
};

/* To be called for each header of the request in turn. */
void head_add(struct head *h, const char *name, const char *value);

/* NULL, or a text for people that says what is wrong. */
const char *head_fault(const struct head *h);

/* True if the query of the request target has more than HEAD_ARGUMENTS_MAX arguments. */
bool head_many_arguments(const char *target);
