/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* In which order a summary gives way when it is too long for its place. Pure. */

#include <jansson.h>
#include <stdbool.h>

/*
 * Removes one member of the object: the outliers, or else the longest other than the findings, or
 * else those. Returns whether there was one.
 */
bool abridge(json_t *summary);
