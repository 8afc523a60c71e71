/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whether a file is a sound Go execution trace: decodes every event and checks the framing, in one
 * pass and in bounded memory.
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
    SOUND_TOO_LARGE,      /* beyond the reader's bounds: `text` says which */
};

struct soundness {
    enum soundness_verdict verdict;
    unsigned go_minor; /* 26 for `go 1.26 trace`; 0: none */
    uint64_t offset;
    uint64_t generation; /* as the trace counts; 0: unknown */
    int64_t thread;      /* GOTRACE_NONE: no thread in particular */
    char text[256];

    uint64_t misnested; /* ends of regions in the wrong order: no damage, but Go's reader stops */

    /* Bytes from the start that are whole generations, decoded without a fault or too large to
     * decode. */
    uint64_t kept_bytes;
    uint64_t kept_generations;

    uint8_t begins[24]; /* the file's first bytes */
    size_t n_begins;
};

/*
 * Reads fd from its position to its end, without seeking. `sink` (may be NULL) gets what framing.h
 * describes, at least kept_bytes. 0, or a negative errno if the file cannot be read or memory is
 * short.
 */
int soundness_check(int fd, const struct framing_sink *sink, struct soundness *ret);
