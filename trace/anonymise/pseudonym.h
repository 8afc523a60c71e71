/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What names become: names of functions, of files and other texts. Names that everybody knows stay: those
 * of Go's standard library, of libraries that our classification recognises, and what the caller wants
 * to keep. All others become hashes under a key, part by part, so that what is equal, what belongs to
 * one package or one type, and what the compiler made of a function (func1, deferwrap1) can still be seen.
 * The same name under the same key has the same pseudonym, in every file.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/stack/owner.h"

/* The longest text that a trace may have: no pseudonym is longer. */
#define PSEUDONYM_MAX 1024
#define PSEUDONYM_DIGEST 32

struct pseudonyms {
    /* A keyed hash. 0 or a negative errno. */
    int (*digest)(void *userdata, const void *text, size_t n, uint8_t ret[PSEUDONYM_DIGEST]);
    void *userdata;
    const char *const *keep; /* patterns of glob(7) for whole names */
    size_t n_keep;
    int error; /* the first one of digest; what was written meanwhile is of no use */
};

/* A pseudonym, with a zero byte behind it. */
struct pseudonym {
    char text[PSEUDONYM_MAX + 1];
    size_t len;
};

/* What is known of the file that functions are in. */
struct pseudonym_file {
    enum owner owner; /* of its functions */
    bool kept;        /* the names of all its functions are kept */
    const char *func; /* one of them; NULL: there is none */
};

/* Whether the function's name is kept. `file` is its path, or "". */
bool pseudonym_keeps(const struct pseudonyms *p, const char *func, const char *file,
                     enum owner owner);

void pseudonym_of_func(struct pseudonyms *p, const char *func, bool kept, struct pseudonym *ret);
void pseudonym_of_file(struct pseudonyms *p, const char *file, const struct pseudonym_file *known,
                       struct pseudonym *ret);

/* Of a text that a program wrote: a task's type, a region's name, a log. `len` bytes, any of them. Words
 * of the runtime stay. */
void pseudonym_of_text(struct pseudonyms *p, const char *text, size_t len, struct pseudonym *ret);
