/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Functions of libraries that are known by their package, their receiver and at most a part of their
 * names. The names of functions that a library keeps to itself change from one version to the next;
 * its packages and the types of its servers and pools hardly do.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What such a function tells: an enum stack_class and any enum stack_trait; 0: it is none. A server's
 * loop is a listener and has STACK_DISPATCHES. */
uint32_t libraries_kind(const char *func, size_t len);

/* Whether the function is of a library that has such servers: of the server itself, or of what it
 * goes through to the program and to its connections. */
bool libraries_serve(const char *func, size_t len);
