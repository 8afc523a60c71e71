/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which functions belong together, as their names tell: a function and those within it, as
 * main.f.func1 within main.f, and the methods of one receiver. Of a set of functions, those that
 * another one belongs to are found at once, however many there are.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"

struct kin {
    struct idmap names;
    uint64_t seed;
    uint32_t n;
};

void kin_init(struct kin *k, struct memory *mem, uint64_t seed);
void kin_done(struct kin *k);

/* Adds a function. Writes a number for the function itself and one for its receiver, or IDMAP_NONE
 * where there is none; equal names have the same number. Errors of memory.h. */
int kin_add(struct kin *k, const char *func, uint32_t ret[2]);

/* Where kin_next is in a function's name. */
struct kin_walk {
    const char *rest;
    uint64_t hash;
};

struct kin_walk kin_walk(const struct kin *k, const char *func);

/* One number after the other of what the function belongs to; IDMAP_NONE behind the last. */
uint32_t kin_next(const struct kin *k, struct kin_walk *walk);

/* The length of a method's name up to its receiver's end, as main.(*store); 0: it is none. */
size_t kin_receiver(const char *func);

/* The length of the name of a goroutine's first function up to the function that it is within, as
 * main.run.func; 0: it is within none. */
size_t kin_outer(const char *func);
