/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Writes JSON (RFC 8259) into a buffer, member by member. The buffer remembers the first failure,
 * so callers check once, at the end. The form is that of jansson's json_dumps(3): text that is
 * parsed and dumped again stays the same.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define JSONWRITER_DEPTH_MAX 32 /* objects and arrays within each other */

struct jsonwriter_style {
    unsigned digits; /* significant ones of a real, 1 to 17 */
    unsigned indent; /* blanks a level; 0: all in one line, without blanks */
    bool ascii;      /* write every character that is not ASCII as \uXXXX */
};

struct jsonwriter {
    struct buf *out;
    struct jsonwriter_style style;
    unsigned depth;
    uint32_t arrays; /* bit i: what is open at depth i + 1 is an array */
    bool more;       /* what is open has a member already */
};

/* Appends to `out`, which is borrowed. */
void jsonwriter_init(struct jsonwriter *w, struct buf *out, struct jsonwriter_style style);

/* `key` is NULL in an array, and for the outermost value; else any text. */
void jsonwriter_object(struct jsonwriter *w, const char *key);
void jsonwriter_array(struct jsonwriter *w, const char *key);
void jsonwriter_end(struct jsonwriter *w); /* of the innermost object or array */

/* NULL is written as null. A text that is not all UTF-8 is written as by buf_add_escaped. */
void jsonwriter_text(struct jsonwriter *w, const char *key, const char *text);
void jsonwriter_textn(struct jsonwriter *w, const char *key, const char *text, size_t n);
void jsonwriter_integer(struct jsonwriter *w, const char *key, int64_t value);
void jsonwriter_count(struct jsonwriter *w, const char *key, uint64_t value); /* up to INT64_MAX */
void jsonwriter_real(struct jsonwriter *w, const char *key, double value);    /* not finite: null */
void jsonwriter_bool(struct jsonwriter *w, const char *key, bool value);
void jsonwriter_null(struct jsonwriter *w, const char *key);
void jsonwriter_json(struct jsonwriter *w, const char *key, const char *json); /* as it is */

/* 0: the whole text is there. -ENOMEM or -E2BIG; -EINVAL: something was not ended. */
int jsonwriter_finish(const struct jsonwriter *w);
