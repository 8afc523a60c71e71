/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a line of a log says, and who said it, without what the way from the program to the log put
 * around it: CRI (`2026-… stderr F …`, where `P` is a part), Docker's JSON, journald's JSON, JSON of
 * log shippers, colours. Anything else is a message as it is.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "trace/schedtrace/loglines.h"

/* Messages that come in parts, of different sources at a time; further ones end the oldest. */
#define ENVELOPE_PARTS_MAX 4
/* The name of a source. */
#define ENVELOPE_SOURCE_MAX 96

struct envelope_part {
    char source[ENVELOPE_SOURCE_MAX];
    struct buf text; /* empty: free */
    uint64_t number; /* of the line that began it */
};

struct envelope {
    struct buf message; /* of JSON, without its escapes */
    struct buf plain;   /* without colours */
    struct buf whole;   /* of parts */
    struct envelope_part parts[ENVELOPE_PARTS_MAX];
};

struct envelope_message {
    const char *text; /* a zero byte follows; valid until the next call */
    size_t n;
    uint64_t number;                  /* of the line that began it */
    char source[ENVELOPE_SOURCE_MAX]; /* as told by the envelope; "": not at all */
};

void envelope_init(struct envelope *e);
void envelope_done(struct envelope *e);

/* 1: there is a message; 0: it is not whole yet; -ENOMEM. */
int envelope_open(struct envelope *e, const struct logline *line, struct envelope_message *ret);

/* What stands before a line of the runtime, as the name of who wrote it: without times and other
 * numbers that change from line to line. Appends to a name that may be there, as far as it fits. */
void envelope_prefix(const char *text, size_t n, char source[static ENVELOPE_SOURCE_MAX]);
