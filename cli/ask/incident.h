/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* contraced's answer about incidents, in the form of its answer about single captures. */

#include <jansson.h>
#include <stdbool.h>

/*
 * Puts the artifacts of all incidents of the answer into a new member "captures": each with the names
 * of its target and the id of its incident. Nothing without incidents. 0 or -ENOMEM.
 */
int incident_flatten(json_t *answer);

/* Whether it is no failure of the incident that it lacks a capture of that list: the target does not
 * serve it, or it was only to put CPU samples into the trace. */
bool incident_lacks(const json_t *capture);

/* Prints the id of each incident that has one, for people, on stderr. */
void incident_tell(const json_t *answer);
