/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What advises: a row of the table in rules.c, in a file of its own. It looks at the samples of one
 * program and decides about one thing: change it, or leave it as it is, or that nobody knows. Pure.
 */

#include "cli/advise/samples.h"

enum verdict {
    VERDICT_KEEP, /* no change */
    VERDICT_CHANGE,
    VERDICT_UNKNOWN, /* the samples do not have the numbers */
};

enum form { FORM_COUNT, FORM_MEAN, FORM_SHARE, FORM_DURATION, FORM_BYTES };

/* A number that the decision rests on. */
struct advice_number {
    const char *name; /* in JSON; durations are nanoseconds */
    const char *words;
    enum form form;
    double value;
};

#define ADVICE_NUMBERS 8
#define ADVICE_TEXT 400

struct advice {
    const char *rule;
    const char *about; /* for people: "locks" */
    enum verdict verdict;
    char text[ADVICE_TEXT];   /* the decision */
    char reason[ADVICE_TEXT]; /* why; "" if the numbers say it */
    char cost[ADVICE_TEXT];   /* what it costs and saves; "": not known */
    struct advice_number numbers[ADVICE_NUMBERS];
    size_t n;
    size_t samples; /* that show it; of VERDICT_KEEP: that were looked at */
    size_t of;      /* that have the numbers */
    double weight;  /* the order: the largest first */
};

struct advisor {
    const char *name, *about;
    /* Decides. What it leaves is "no change", without numbers. */
    void (*judge)(const struct samples *s, struct advice *ret);
};

extern const struct advisor advice_procs;
extern const struct advisor advice_quota;
extern const struct advisor advice_lock;
extern const struct advisor advice_pool;
extern const struct advisor advice_goroutines;
extern const struct advisor advice_collector;

/* So many samples make it more than chance: one of up to three, else two, and a tenth of many. */
size_t advice_enough(size_t n);

void advice_tell(struct advice *a, const char *name, const char *words, enum form form,
                 double value);

/* Texts; what does not fit is cut. */
void advice_say(char out[static ADVICE_TEXT], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Of the findings with this code, those about what most of them are about, by a call site of the
 * program's own: how many there are, and the one in which most wait. `fits` may be NULL.
 */
struct advice_findings {
    size_t n;
    const json_t *worst;
    const char *func, *file; /* borrowed; func NULL: no call site is known */
    long long line;
    const char *remark; /* "": none */
};

void advice_find(const struct samples *s, const char *code, bool (*fits)(const json_t *finding),
                 struct advice_findings *ret);

/* "main.(*store).get (store.go:42)"; "its call site" if none is known. */
void advice_place(const struct advice_findings *f, char out[static ADVICE_TEXT]);
