/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The last records of the same service before a trace, and what of them is compared. Reads a spool
 * or a directory that others may change meanwhile; what vanishes is no error.
 */

#include "cli/explain/subject.h"
#include "cli/explain/usual.h"
#include "lib/record/record.h"

#define EARLIER_ENOUGH 5 /* records of the host alone, where it has so many; else of all hosts */

struct earlier_list {
    struct name names[USUAL_MAX]; /* the newest first */
    struct usual_values values[USUAL_MAX];
    char labels[USUAL_MAX][RECORD_LABEL_SIZE];
    size_t n;
};

struct earlier {
    struct earlier_list host, service; /* of the same host; of any */
};

/* Only records with a label and a summary count. 0, -ENOMEM, or the errno of a directory that may
 * not be read; what could be read is there. */
int earlier_find(const struct subject *s, struct earlier *ret);

/* The flight recording with which the trace's incident began: what was right before. */
struct before {
    bool known;
    struct usual_values values;
    char label[RECORD_LABEL_SIZE];
};

/* From its record, at the same place as the trace. Nothing is known of a trace without one. 0 or
 * -ENOMEM. */
int earlier_before(const struct subject *s, struct before *ret);

/* The host that all of them are of, or NULL. */
const char *earlier_host(const struct earlier_list *l);

/* The list to compare with; it may be empty. */
const struct earlier_list *earlier_chosen(const struct earlier *e);
