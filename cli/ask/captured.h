/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What became of captures that were ordered, as contraced answers it: told to a person, and printed
 * for programs.
 */

#include <jansson.h>
#include <stdbool.h>

struct captured_style {
    bool ended;  /* the captures were waited for */
    bool labels; /* captured_print_labels follows, which says what is empty */
    bool flight; /* recordings were ordered, not what a job's `path` leads to */
};

/* Only the labels of traces are waited for. An older contraced takes nothing else, and does not say
 * so. */
bool captured_is_trace(const json_t *capture);

/* Says on stderr what was not taken, and why. `answer` is that of POST /api/v1/capture. Returns
 * whether something failed. */
bool captured_tell(const json_t *answer, const struct captured_style *style);

/* Prints a JSON object for each, or the keys of what is kept. `captures` is an array of the answer.
 * 0, or a negative errno after a message. */
int captured_print_objects(const json_t *captures);
int captured_print_keys(const json_t *captures);

/* A line on stderr for each that is kept: size, label, and whether it is empty. */
void captured_print_labels(const json_t *captures);
