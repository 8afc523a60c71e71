/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Functions of libraries that are known by their package, their receiver and at most a part of their
 * names. The names of functions that a library keeps to itself change from one version to the next;
 * its packages and the types of its servers and pools hardly do.
 */

#include <stdbool.h>
#include <stddef.h>

/* What such a function does. The last ones are a server's loop, which reads what its clients ask and
 * calls the program. */
enum libraries_role {
    LIBRARIES_UNKNOWN = 0, /* it is none */
    LIBRARIES_POOL,        /* waits for a connection of its process's */
    LIBRARIES_LIMIT,       /* waits for its turn */
    LIBRARIES_CALL,        /* asks a peer */
    LIBRARIES_HANDLES,     /* calls the program for one request */
    LIBRARIES_SERVES,      /* is part of serving requests, or of reading them */
    LIBRARIES_LOOP,
    LIBRARIES_CONNECTION, /* the loop of a connection that brings one request after the other */
    LIBRARIES_MIXED,      /* a loop whose calls may be requests or streams */
};

enum libraries_role libraries_role(const char *func, size_t len);

/* Whether the function is of a library that has such servers: of the server itself, or of what it
 * goes through to the program and to its connections. */
bool libraries_serve(const char *func, size_t len);

/* How the names begin of the nth library's functions; NULL beyond the last. */
const char *libraries_package(size_t n);
