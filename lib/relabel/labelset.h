/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The labels of one target while it is relabelled: each name once, a value that is not empty. A set
 * is made once, filled for one target after the other, and emptied in between. What does not fit is
 * remembered as a failure, so who sets many labels asks once, at the end.
 */

#include <stdbool.h>
#include <stddef.h>

#define LABELSET_MAX 1024 /* labels at once */
/* Bytes of all names and values that are set until the set is emptied, also of those that were
 * replaced. */
#define LABELSET_BYTES_MAX (256u << 10)

struct labelset;

/* A label as it is in the set: both borrowed until the set is emptied. */
struct labelset_item {
    const char *name, *value;
};

/* NULL when memory is short. */
struct labelset *labelset_new(void);
void labelset_free(struct labelset *ls);

/* Removes all labels and forgets the failure. */
void labelset_clear(struct labelset *ls);

/* Copies both. An empty value removes the label, as in Prometheus. Name and value may be the set's
 * own. */
void labelset_set(struct labelset *ls, const char *name, const char *value);
void labelset_remove(struct labelset *ls, const char *name);

/* The value; "" if there is none. */
const char *labelset_get(const struct labelset *ls, const char *name);
bool labelset_has(const struct labelset *ls, const char *name);

/* 0; or -E2BIG if something did not fit. */
int labelset_error(const struct labelset *ls);

size_t labelset_count(const struct labelset *ls);
struct labelset_item labelset_at(const struct labelset *ls, size_t i);

/*
 * Orders the labels by name. Labels that are set afterwards stand behind them in the order in which
 * they were first set: that is the order in which Prometheus's labels.Builder goes through them.
 */
void labelset_sort(struct labelset *ls);

/* Copies all labels as they are now into `out`, of LABELSET_MAX; returns how many. */
size_t labelset_snapshot(const struct labelset *ls, struct labelset_item *out);

/* Letters, digits and _, no digit first: what Prometheus calls a legacy name. */
bool labelset_is_name(const char *name);
