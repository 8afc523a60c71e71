/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The members of a JSON object that have names of interest, at any depth. It is not checked that the
 * text is JSON: reading stops where it cannot go on.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct jsonfield {
    const char *name;
    const char *value; /* its first character; NULL: not there */
    size_t depth;      /* 1: of the object itself */
};

/* Fills in the value of each field of the list that is a member, the outermost, then the first, if there are
 * more.
 * False if the text is no object. A zero byte must follow its n bytes. */
bool jsonfields_find(const char *text, size_t n, struct jsonfield *fields, size_t n_fields);

/* Appends the text of a value: of a string without its escapes, of a list of bytes (as journald
 * writes text that is not UTF-8) those, or a number as it stands. 0, or as buf_add; -EINVAL: it is
 * neither. */
int jsonfields_text(const struct jsonfield *field, struct buf *ret);
