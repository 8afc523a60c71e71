/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The kinds of artifact that can be captured. Each kind is one row, and no other code asks which
 * kind an artifact is. A row gives its names, how to request it, how to judge its body while it
 * streams, and what to do with it afterwards. It knows neither targets nor files: it takes bytes
 * and returns facts.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "daemon/outcome/outcome.h"
#include "lib/record/kind.h"

/*
 * Receives the accepted bytes of a body, to hash what will be kept.
 * bytes: the next n bytes, in order, each once; they may lag a little behind what was fed.
 * whole: everything passed to `bytes` so far may be kept as it is.
 */
struct artifact_sink {
    void (*bytes)(void *userdata, const void *data, size_t n);
    void (*whole)(void *userdata);
    void *userdata;
};

/* How much of a body can be kept. */
enum artifact_end {
    ARTIFACT_WHOLE,   /* all of it */
    ARTIFACT_PART,    /* the first `bytes` bytes, which are complete by themselves */
    ARTIFACT_NOTHING, /* it is the requested kind, but no part of it is complete */
    ARTIFACT_FOREIGN, /* it is not the requested kind */
};

#define ARTIFACT_FOUND_SIZE 32

/* The result of judging a body. Texts are static, except `found`. */
struct artifact_facts {
    enum artifact_end end;
    uint64_t bytes;      /* that can be kept */
    uint64_t accepted;   /* bytes before the first invalid one; not less than `bytes` */
    const char *error;   /* what is wrong with the body; NULL: nothing */
    const char *hint;    /* what a person can do about it; NULL: use the outcome's hint */
    usec span;           /* the time it covers; 0: not known */
    bool since_start;    /* it covers not the window, but all since the process started */
    unsigned go_minor;   /* 26 if the body names `go 1.26`; 0: it names no version */
    const char *counted; /* the unit of `count`: "generations" */
    uint64_t count;
    bool empty; /* complete, but without content */
    /* ARTIFACT_FOREIGN, but a profile: its sample type, as the body names it. "": none. */
    char found[ARTIFACT_FOUND_SIZE];
};

struct artifact;

/* How a body is judged while it streams. */
struct artifact_body {
    size_t size; /* of the state (`body` below); zeroed before `init` */
    /* `a` is the row that was requested. 0 or -ENOMEM. */
    int (*init)(void *body, const struct artifact *a, const struct artifact_sink *sink);
    void (*done)(void *body);
    /* Takes the next bytes; they may be split anywhere. 0, or a negative errno once a byte is
     * invalid; *ret_good is the number of these bytes that come before it. */
    int (*feed)(void *body, const void *data, size_t n, size_t *ret_good);
    /* The body ended. Called once, also after an error. `clean`: the transport confirms that
     * nothing is missing at its end. `taken`: how long the request took, of which `window` was
     * asked for. */
    void (*finish)(void *body, bool clean, usec taken, usec window, struct artifact_facts *ret);
};

/* When an incident takes an artifact: these come one after the other. */
enum artifact_turn {
    ARTIFACT_PAST,    /* it shows what was, and is overwritten soon */
    ARTIFACT_PRESENT, /* it shows what happens while it is taken */
    ARTIFACT_STATE,   /* a snapshot of what is */
    ARTIFACT_SUMS,    /* counted since the start, or the difference of two such counts */
    ARTIFACT_FORCED,  /* taking it disturbs the service */
};

struct artifact {
    enum kind kind;   /* its name and its suffix */
    const char *noun; /* for people: "trace" */
    const char *what; /* the long form: "a Go execution trace" */
    const char *content_type;

    /* The request. */
    const char *sibling; /* its endpoint, beside the one of traces; NULL: the job's own path */
    bool elsewhere;      /* the job's `flight` says where it is and how to ask, or nothing does */
    bool whole_seconds;  /* the endpoint accepts whole seconds only */
    bool delta;          /* with `seconds` it is the difference of two snapshots */
    bool snapshot;       /* it is asked for without `seconds`, and answers at once */
    bool may_wait;       /* 429 and 503 say that it cannot be had yet */
    bool optional;       /* a service may lack it: 404 is no failure */
    const char *taken;   /* what a 500 says while somebody else takes one; NULL: many may */
    enum outcome taken_outcome;
    const char *place_hint; /* if something else answers there; NULL: the outcome's hint */

    /* What comes. */
    const struct artifact_body *body;
    const char *sample_type; /* of a profile: "delay"; NULL: it is no profile */
    const char *part;        /* "one generation"; NULL: only a complete body can be kept */
    const char *parts;       /* "whole generations" */
    enum outcome foreign;    /* the outcome if the body is ARTIFACT_FOREIGN */
    const char *empty_hint;  /* the hint if the body is `empty`, in the form of an outcome's hint */

    bool context; /* what the host knows of the target meanwhile is recorded with it */

    /* In an incident. */
    enum artifact_turn turn;
    bool costly;       /* the service pays for all of the window, not just for an answer */
    bool of_incidents; /* it belongs to incidents of which a job says nothing else */

    /* Together with another: */
    bool sampled; /* it has CPU samples if an artifact that `samples` is taken beside it */
    bool samples;

    /* Afterwards. */
    bool inspected; /* a child process inspects and labels it */
};

/* The window to request if `wanted` is wanted: whole seconds, at least one, where the endpoint
 * accepts nothing else. */
usec artifact_window(const struct artifact *a, usec wanted);

/* How long an artifact that `samples` is taken before the one beside it begins, and at least how long
 * after that has ended: services begin and end neither at once. */
#define ARTIFACT_LEAD (100 * USEC_PER_MSEC)
#define ARTIFACT_TAIL (200 * USEC_PER_MSEC)

/* The window of an artifact that `samples` beside one of this window. */
usec artifact_window_beside(const struct artifact *a, usec window);

/*
 * The URL path to request it from. `path` is the job's path of traces, `profiles` the directory of
 * its profiles or NULL. Without `profiles`, `path` must end in "/trace", and the result is its
 * sibling. What is `elsewhere` cannot be derived. The caller frees *ret. 0, -ENOMEM, or -EINVAL if
 * the path cannot be derived.
 */
int artifact_path(const struct artifact *a, const char *path, const char *profiles, char **ret);
