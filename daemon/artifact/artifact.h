/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is captured: each kind of artifact is one row, and nobody else asks which kind it is. A row
 * says what it is called, how it is asked for, how its body is judged while it streams, and what is
 * done with it afterwards. It knows neither targets nor files: bytes in, facts out.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "daemon/outcome/outcome.h"
#include "lib/record/kind.h"

/*
 * Who follows a body, to hash what will be kept.
 * bytes: the next n bytes of it, in order, each once; they may lag a little behind what was fed.
 * whole: everything given to `bytes` so far may be kept as it is.
 */
struct artifact_sink {
    void (*bytes)(void *userdata, const void *data, size_t n);
    void (*whole)(void *userdata);
    void *userdata;
};

/* What of a body can be kept. */
enum artifact_end {
    ARTIFACT_WHOLE,   /* all of it */
    ARTIFACT_PART,    /* the first `bytes`, which are whole in themselves */
    ARTIFACT_NOTHING, /* it is what was asked for, but nothing of it is whole */
    ARTIFACT_FOREIGN, /* it is something else */
};

/* What a body turned out to be. Texts are static. */
struct artifact_facts {
    enum artifact_end end;
    uint64_t bytes;      /* that can be kept */
    uint64_t accepted;   /* up to where it made sense; not less than `bytes` */
    const char *error;   /* what is wrong with it; NULL: nothing */
    const char *hint;    /* what a person can do about that; NULL: what the outcome says */
    usec span;           /* the time it covers; 0: not known */
    unsigned go_minor;   /* 26: it says of itself that it is of `go 1.26`; 0: it doesn't say */
    const char *counted; /* what `count` counts: "generations" */
    uint64_t count;
    bool empty; /* whole, but there is nothing in it */
};

/* How a body is judged while it streams. */
struct artifact_body {
    size_t size; /* of the state that the following take; zeroed before `init` */
    int (*init)(void *body, const struct artifact_sink *sink); /* 0 or -ENOMEM */
    void (*done)(void *body);
    /* The next bytes, cut anywhere. 0, or a negative errno from the first byte on that makes no
     * sense; *ret_good of these bytes come before it. */
    int (*feed)(void *body, const void *data, size_t n, size_t *ret_good);
    /* It ended; once, after an error too. `clean`: the transport vouches for its end. `taken`: how
     * long the request took. */
    void (*finish)(void *body, bool clean, usec taken, struct artifact_facts *ret);
};

struct artifact {
    enum kind kind;   /* its name and its suffix */
    const char *noun; /* for people: "trace" */
    const char *what; /* the same at more length: "a Go execution trace" */
    const char *content_type;

    /* The request. */
    const char *sibling; /* the endpoint beside that of traces; NULL: the job's own path */
    bool whole_seconds;  /* it takes no fraction of a second */
    bool optional;       /* a service need not have it: 404 is no failure */

    /* What comes. */
    const struct artifact_body *body;
    const char *part;       /* "one generation"; NULL: it is whole or nothing */
    const char *parts;      /* "whole generations" */
    enum outcome foreign;   /* what came is something else */
    const char *empty_hint; /* there is nothing in it: what a person can do, as an outcome's hint */

    /* Afterwards. */
    bool inspected; /* a child looks at it and labels it */
};

/* How long it is asked for when so much is wanted. */
usec artifact_window(const struct artifact *a, usec wanted);

/*
 * The path at which it is asked for: `path` is the job's, `profiles` the directory
 * of its profiles or NULL. Without that it is the sibling of a path that ends in "/trace". To be
 * freed. 0, -ENOMEM, or -EINVAL: it cannot be told from these.
 */
int artifact_path(const struct artifact *a, const char *path, const char *profiles, char **ret);
