/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_SPOOL_LABELS_H
#define CONTRACE_SPOOL_LABELS_H

/*
 * A table of the labels that kept traces have, each text once, so that the index needs only one
 * byte per label. There are about ten labels. Strange records cannot make it grow without end:
 * labels that come when the table is full are "other".
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

/* Adds a text if it is new, and returns its byte. LABELS_NONE for NULL; LABELS_OTHER if the table
 * is full or memory is short. */
uint8_t labels_intern(struct labels *l, const char *text);

/* The byte of a text that is in the table, else LABELS_NONE. */
uint8_t labels_find(const struct labels *l, const char *text);

/* The text of a byte; NULL for LABELS_NONE. Borrowed until labels_done. */
const char *labels_text(const struct labels *l, uint8_t label);

#endif
