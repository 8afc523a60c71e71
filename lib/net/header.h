/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Header lines of HTTP/1.1 (RFC 9110, section 5): writes lines to send, refusing text that could
 * inject another line, and parses received ones. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* A part of a line, without surrounding white space; not terminated. */
struct header_piece {
    const char *data;
    size_t n;
};

/*
 * Appends "name: value" in libcurl's form. 0, -ENOMEM, or -EINVAL: the name is no token or belongs
 * to the transfer (Host, Content-Length, …), the value has a control byte, or the line does not
 * fit.
 */
int header_format(struct buf *out, const char *name, const char *value);

/* Parses "name: value", perhaps with CR LF. False: it is no such line. */
bool header_split(const char *line, size_t n, struct header_piece *ret_name,
                  struct header_piece *ret_value);

bool header_is(const struct header_piece *piece, const char *text);

/* The status of a line "HTTP/1.1 200 OK", or 0 if it is no such line. */
int header_status(const char *line, size_t n);
