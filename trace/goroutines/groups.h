/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Goroutines summed up by the function that they started with, as cmd/trace/goroutines.go groups
 * them. Those whose function no stack in the trace tells are a group, too; its name is "".
 */

#include <stddef.h>
#include <stdint.h>

#include "trace/common/memory.h"
#include "trace/goroutines/times.h"

struct group {
    uint32_t name; /* in texts */
    uint64_t count;
    struct times times; /* all of its goroutines' */
};

struct groups {
    struct memory *mem;
    struct shares *shares;
    struct group *list;
    size_t n, cap;
    uint32_t *by_name; /* by texts' number: the group plus 1, or 0 */
    size_t by_name_n, by_name_cap;
};

void groups_init(struct groups *g, struct shares *shares, struct memory *mem);
void groups_done(struct groups *g);

/* Adds a goroutine to the group of its start function. 0, or an error of memory.h. */
int groups_add(struct groups *g, uint32_t name, const struct times *times);

/* A group's name as people see it: "" is what it is on Go's page. */
const char *groups_shown_name(const char *name);
