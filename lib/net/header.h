/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Header lines of HTTP/1.1 as text (RFC 9110, section 5): makes the ones that are sent, refusing
 * whatever could smuggle in another line, and takes apart the ones that came. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* A piece of a line, without white space around it; not terminated. */
struct header_piece {
    const char *data;
    size_t n;
};

/*
 * Appends "name: value" in the form that libcurl takes it. 0, -ENOMEM, or -EINVAL: the name is no
 * token or belongs to the transfer itself (Host, Content-Length, …), the value holds a control
 * byte, the line does not fit.
 */
int header_format(struct buf *out, const char *name, const char *value);

/* False when the line is not "name: value". The line may end in CR LF. */
bool header_split(const char *line, size_t n, struct header_piece *ret_name,
                  struct header_piece *ret_value);

bool header_is(const struct header_piece *piece, const char *text);

/* The status in a line "HTTP/1.1 200 OK", or 0 when it is no such line. */
int header_status(const char *line, size_t n);
