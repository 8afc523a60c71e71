/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The pods of one watch, by namespace and name. A list replaces them all at its end, and not before:
 * pods stay while it is under way, and if it fails.
 */

#include <stdbool.h>
#include <stddef.h>

#include "daemon/source/kube/pod.h"

#define PODSET_MAX 20000 /* pods */

struct podset;

struct podset *podset_new(void);
void podset_free(struct podset *s);

size_t podset_count(const struct podset *s);
const struct pod *podset_at(const struct podset *s, size_t i);

/*
 * Takes the pod, in place of the one of that name. 1: something is different than before; 0: it is
 * not, and the pod was freed; -ENOMEM, or -E2BIG if there are PODSET_MAX, and the pod was freed.
 */
int podset_put(struct podset *s, struct pod *p);

/* Whether this pod is asked about for the first time since it changed: to say a thing once. */
bool podset_first(struct podset *s, size_t i);

/* Removes the pod of that name. Returns whether there was one. */
bool podset_remove(struct podset *s, const struct pod *p);

/* A list begins: what was put from here on stays at its end. */
void podset_begin(struct podset *s);

/* It has ended: removes what was not put since it began. Returns how many. */
size_t podset_sweep(struct podset *s);
