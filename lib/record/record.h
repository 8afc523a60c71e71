/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The record of an artifact, such as a trace: the `.json` file beside it with all that is known of
 * it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "lib/record/name.h"
#include "trace/findings/context.h"
#include "lib/record/kind.h"

#define RECORD_MAX ((size_t)256 << 10) /* bytes of a record that is read back */

struct record_label {
    const char *name, *value;
};

/* A count of something in the artifact: generations, samples. */
struct record_count {
    const char *name;
    uint64_t value;
};

/* The rule that asked for an artifact, and what it saw. Texts are borrowed. */
struct record_trigger {
    const char *rule;
    double value, threshold; /* not a number, or infinite: null in the record */
    const char *unit;        /* of both: "seconds", "share"; NULL: not said */
    const char *text;        /* why it fired, for people; NULL: not said */
};

/* What was known of an incident when one of its artifacts was kept. Borrowed. */
#define RECORD_JOINED_MAX 8
struct record_progress {
    unsigned takes;             /* a bit for each kind */
    const char *without[KINDS]; /* why it has none of this kind, in a word; NULL: it may have */
    const char *joined[RECORD_JOINED_MAX]; /* reasons of those that joined it; then NULL */
};

/* Whether a CPU profile ran beside a trace, so that it has CPU samples. */
struct record_samples {
    bool known, sampled;
    const char *profile; /* its key; NULL: it was not kept */
    const char *why;     /* there is no profile; "" or NULL: there is one */
};

/* Everything is borrowed. */
struct record {
    const char *artifact; /* its kind: trace, mutex, … */
    const char *service;
    const char *host;
    uint32_t pid;       /* 0: not known, and then not written */
    const char *target; /* URL without secrets */
    const char *job;
    const struct record_label *labels;
    size_t n_labels;
    const char *reason;   /* schedule, signal, api, trigger:<name> */
    const char *incident; /* the id that all evidence of an incident shares; NULL: none */
    const struct record_trigger *trigger;   /* NULL: no rule asked */
    const struct record_progress *progress; /* of the incident; NULL: none */
    usec start;                             /* real time at which the request was sent */
    usec window;      /* the duration that was asked for; 0: none, it is a snapshot */
    usec span;        /* the time that it really spans; 0: not known */
    bool since_start; /* it spans not the window, but all since the process started */
    uint64_t bytes;
    const char *sha256;     /* lower-case hex */
    const char *go_version; /* "1.26", from the trace's header; NULL when not known */
    bool complete;
    uint64_t received; /* when not complete: bytes that were received, of which `bytes` were kept */
    const char *truncated_by; /* when not complete: why, one word (timeout, size_limit, short, …) */
    const struct record_samples *samples; /* NULL: no CPU samples were wanted */
    const struct record_count *counts;
    size_t n_counts;
    const struct context *context; /* what the host knew meanwhile; NULL: nothing */
};

/* The record as JSON text with a final newline, to be freed by the caller. NULL when memory is
 * short. */
char *record_to_json(const struct record *r);

/* What an inspection adds to a record. Everything is borrowed. */
struct record_amendment {
    const char *label;
    const char *not_inspected; /* why there is no summary; NULL: there is one */
    const char *summary;       /* JSON text of an object, or NULL */
    double latency;            /* from the summary; as in struct record_annotation */
    double covered; /* the share of the trace that all this is based on; < 0: not known */
};

/*
 * Makes a copy of the record in `json` with these values in place of its old ones, as text of at
 * most `max` bytes with a final newline, to be freed by the caller. The summary gives way to that
 * (abridge.h), in the end all of it. 0, -ENOMEM, -EINVAL when the record or the summary is no JSON
 * object, or -E2BIG when the record is too long without a summary.
 */
int record_amend(const char *json, size_t n, const struct record_amendment *a, size_t max,
                 char **ret);

#define RECORD_LABEL_SIZE 48

/* What a record says that the index of kept traces needs to know. */
struct record_annotation {
    char label[RECORD_LABEL_SIZE]; /* lower-case letters, digits and '-'; "": none */
    double latency; /* nanoseconds: the 99th percentile of the scheduler latency; < 0: none */
    double covered; /* as in struct record_amendment; < 0: none */
    /*
     * How bad it is, to compare traces of one label: the goroutine time that was lost to what the
     * label names, for each second of the trace; of a label that loses no time, such as
     * goroutine-leak, its score, at most 1. 0: nothing is wrong, or nobody looked.
     */
    double severity;
    usec incident; /* real time at which the incident began that it belongs to; 0: to none */
    char incident_id[NAME_KEY_MAX]; /* "": it belongs to none */
};

/* The annotation of a record that says nothing of this. */
#define RECORD_TELLS_NOTHING ((struct record_annotation){.latency = -1, .covered = -1})

/* Reads the annotation of a record. 0, -ENOMEM, or -EINVAL when the text is no JSON object. */
int record_annotation(const char *json, size_t n, struct record_annotation *ret);
