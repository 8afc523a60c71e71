/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How sound a file is as a Go execution trace: every event of it is decoded, and its framing is
 * followed beside that, in one pass and in bounded memory.
 */

#include <stddef.h>
#include <stdint.h>

#include "trace/framing.h"

enum soundness_verdict {
    SOUND_COMPLETE,
    SOUND_TRUNCATED,      /* ends before it is whole: at `offset` */
    SOUND_CONTRADICTION,  /* `text` says which; at `offset`, in `generation`, of `thread` */
    SOUND_NOT_A_TRACE,    /* `text` says why */
    SOUND_OLD_FORMAT,     /* of Go 1.11–1.21: neither decoded nor divided into generations */
    SOUND_UNKNOWN_FORMAT, /* of a Go that is not known here */
    SOUND_TOO_LARGE,      /* the reader's bounds do not admit it: `text` */
};

struct soundness {
    enum soundness_verdict verdict;
    unsigned go_minor; /* 26 for `go 1.26 trace`; 0: none */
    uint64_t offset;
    uint64_t generation; /* as the trace counts; 0: unknown */
    int64_t thread;      /* GOTRACE_NONE: none is to blame */
    char text[256];

    uint64_t misnested; /* ends of regions in the wrong order: no damage, but Go's reader stops */

    /* From the beginning so much is whole, and was decoded without a fault or was too large. */
    uint64_t kept_bytes;
    uint64_t kept_generations;

    uint8_t begins[24]; /* the file's first bytes */
    size_t n_begins;
};

/*
 * Reads the file behind fd, which needs no seeking, from here to its end. `sink` may be NULL and is
 * told what framing.h says; it sees at least kept_bytes. 0, or a negative errno when the file
 * cannot be read or memory is lacking.
 */
int soundness_check(int fd, const struct framing_sink *sink, struct soundness *ret);
