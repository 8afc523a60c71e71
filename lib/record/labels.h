/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_SPOOL_LABELS_H
#define CONTRACE_SPOOL_LABELS_H

/*
 * The labels that kept traces have, each once, so that the index needs a byte for one. There are
 * about ten of them; records that say otherwise cannot make it grow: what comes when the table is
 * full is "other".
 */

#include <stddef.h>
#include <stdint.h>

#define LABELS_NONE 0    /* no label */
#define LABELS_OTHER 255 /* the table is full */
#define LABELS_MAX 254

struct labels {
    char *texts[LABELS_MAX]; /* of the labels 1, 2, … */
    unsigned n;
};

void labels_init(struct labels *l);
void labels_done(struct labels *l);

/* The byte for a text; LABELS_NONE for NULL, and LABELS_OTHER also when memory is short. */
uint8_t labels_intern(struct labels *l, const char *text);

/* The byte of a text that was interned, else LABELS_NONE. */
uint8_t labels_find(const struct labels *l, const char *text);

/* NULL for LABELS_NONE. Borrowed until labels_done. */
const char *labels_text(const struct labels *l, uint8_t label);

#endif
