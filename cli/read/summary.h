/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Prints summaries: text for people, JSON for programs (docs/summary.schema.json). Private to
 * summary*.c and cli/explain.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/jsonwriter.h"
#include "cli/common/print.h"
#include "cli/read/failure.h"
#include "cli/read/place.h"
#include "trace/findings/context.h"
#include "trace/findings/finding.h"
#include "trace/summary/summary.h"

#define SUMMARY_SCHEMA 1

struct summary_view {
    const char *name;              /* of the file, "-" for standard input */
    bool utf8;                     /* bars and µ may be printed */
    bool stacks;                   /* print whole stacks below the call sites */
    unsigned top;                  /* rows of each table, */
    bool whole;                    /* also if they are next to nothing */
    unsigned brief;                /* 1 or 2: fewer lines, so that a text fits a screen */
    const struct context *context; /* what the host knew; NULL: nothing */
};

#define SUMMARY_JSON_MAX (64u << 20)

/* How much of a summary is written; each leaves out more than the one before. */
enum summary_extent {
    SUMMARY_ALL,
    SUMMARY_NO_SITES,    /* call sites: they are long, and a label does not need them */
    SUMMARY_NO_OUTLIERS, /* the slowest of each kind */
    SUMMARY_NO_NAMES,    /* tasks and regions by name */
};

/* Appends one object. 0, -ENOMEM, or -E2BIG when that is more than the buffer may hold. */
int summary_json(const struct summary_view *view, const struct summary *s,
                 enum summary_extent extent, struct buf *out);

/* Where and why a trace that is not complete breaks off. */
struct failure summary_failure(const struct summary *s);

/* Writes the result of findings_find: members `findings`, `near` and `label`. */
void summary_findings_json(struct jsonwriter *w, const struct summary *s,
                           const struct context *context);

/* The numbers that a finding rests on, in words, behind each other. */
void summary_evidence_text(struct print_flow *flow, const struct finding *f, bool utf8);

/* What is told beside a label without findings: lines, each with its end, or an empty text; to be
 * freed. 0 or -ENOMEM. */
int summary_unended_text(const struct summary *s, bool utf8, char **ret);
/* Whether that is that many requests wait inside of the process. */
bool summary_requests_wait(const struct summary *s);

/* A score in a word: "clear". */
const char *summary_strength(double score);

/* What a number of the evidence says, as printf's format for one text: "%s waits", or "%s wait" of
 * one. NULL if it has no words. */
const char *summary_words(const char *name, bool one);

/* The slowest of each kind: member `outliers`, and the last part of the text. */
void summary_outliers_json(struct jsonwriter *w, const struct summary *s);
/* What a task's time was made of, "running 12 ms, network 400 ms". */
void summary_work_text(struct print_flow *flow, const struct summary_work *w, bool utf8);
void summary_outliers_text(FILE *out, const struct summary *s, const struct summary_view *view);

/* The i-th row, from 0, of that part of the text without options; NULL if there are fewer. */
const struct summary_outlier *summary_outlier(const struct summary *s, size_t i);

/* A context that the user names, with what is known of the trace that it is of. */
struct summary_given {
    struct context context;
    int64_t bytes; /* of that trace; negative: not known */
    int64_t start; /* when it began, nanoseconds since 1970; 0: not known */
};

/*
 * The context that the user names: a record, or another file with such an object, or the object
 * itself. `confined`: no file may be read. 0, or a negative errno after a message: -EINVAL for what
 * is no JSON object, -ENODATA if it has nothing about a host, or why the file cannot be read.
 */
int summary_context_given(const char *value, bool confined, struct summary_given *ret);

/* Whether it can be of this trace, the file `name`: by size, time and window, as far as they are
 * known. 0, or -ESTALE after a message. */
int summary_context_check(const struct summary_given *given, const char *name,
                          const struct summary *s);

/* That of the record beside a trace, X.json for X.trace, if it is of this trace: the number of
 * bytes must agree. False if there is none. */
bool summary_context_beside(const char *trace, struct context *ret);

#define SUMMARY_PATH_MAX 4096

/* The path of the record beside a trace. False if the file's name is not that of a trace. */
bool summary_record_beside(const char *trace, char path[static SUMMARY_PATH_MAX]);

void summary_context_text(FILE *out, const struct context *c, bool utf8);

/* 0, or -ENOMEM, and nothing is printed. The caller checks the stream for errors. */
int summary_text(FILE *out, const struct summary *s, const struct summary_view *view);

/* A line for each of several files; the values are those of the JSON. */
struct summary_line;
struct summary_lines {
    struct summary_line *list;
    size_t n;
    size_t cap;
};

/* The path of the number to sort by; a column's short name is replaced by its path. */
const char *summary_lines_path(const char *field);

/* `json` is that of summary_json. -ENOMEM; -ENOENT if there is no such number. */
int summary_lines_add(struct summary_lines *lines, const struct buf *json, const char *path);

/* The largest first, where less is worse the smallest; or as they were added, without a path. */
void summary_lines_print(FILE *out, struct summary_lines *lines, const char *path, bool reverse,
                         const struct summary_view *view);
void summary_lines_done(struct summary_lines *lines);

/*
 * A number by its path in the JSON, "scheduler.latency.p99_ns". 0, or -ENOENT if there is none.
 */
int summary_number(const json_t *json, const char *path, double *ret);
