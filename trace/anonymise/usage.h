/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the strings of one generation are used for. Its stacks say which are names of functions and which
 * are files, and which function is in which file; with the texts of these it is known whose they are,
 * and whether they are kept. Grows with the functions that stacks have, up to USAGE_MAX_MEMORY.
 */

#include "trace/anonymise/pseudonym.h"
#include "trace/common/idmap.h"

#define USAGE_MAX_MEMORY ((size_t)128 << 20)

struct usage;

/* -ENOMEM. `seed` is nobody's business. */
int usage_new(uint64_t seed, struct usage **ret);
void usage_free(struct usage *u);

/* Forgets the generation; a file of package main stays known. */
void usage_clear(struct usage *u);

/* A frame of a stack: the ids of its function and its file. Before the texts. Errors of memory.h. */
int usage_add_frame(struct usage *u, uint64_t func, uint64_t file);

/* A string: it is remembered if it is of use. After the frames. Errors of memory.h. */
int usage_add_text(struct usage *u, uint64_t id, const void *text, size_t len);

/* Judges all of them. After the texts. 0 or -ENOMEM. */
int usage_judge(struct usage *u, const struct pseudonyms *p);

/* What becomes of the string. */
void usage_pseudonym(const struct usage *u, struct pseudonyms *p, uint64_t id, const void *text,
                     size_t len, struct pseudonym *ret);
