/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_TRACE_FRAMING_H
#define CONTRACE_TRACE_FRAMING_H

/*
 * Framing: what kind of Go execution trace a stream of bytes is, and where its last whole
 * generation ends.
 *
 * It reads the 16-byte header, batch headers, the first byte of each batch and the clock's
 * frequency, skips everything else, and keeps at most one batch header. It does not look into
 * events: a trace whose framing is right may still be refused by a reader for what its batches say.
 *
 * The formats are those of Go's internal/trace (version/version.go, batch.go, generation.go) and
 * runtime/trace*.go:
 *
 *   Go 1.11–1.21  events without batches; the stream is whole or it is not. Passed through.
 *   Go 1.22–1.24  batches; a generation has one batch opening with EvFrequency, written at its
 *                 end, and ends where a batch of the next one begins, or with the stream.
 *   Go 1.25       the same with EvSync in EvFrequency's place, at the generation's beginning.
 *   Go 1.26       a generation ends with the byte EvEndOfGeneration, and never without it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum framing_format {
    FRAMING_UNKNOWN = 0, /* too few bytes yet to tell */
    FRAMING_NOT_A_TRACE,
    FRAMING_V1, /* Go 1.11–1.21: no generations */
    FRAMING_V2, /* Go 1.22 and later: batches in generations */
};

/* Bytes at the start of a batch with a generation's clock: two event types and a number. */
#define FRAMING_CLOCK_MAX 12

/* The longest batch header: a type byte, an experiment's byte and four numbers of ten bytes. */
#define FRAMING_HEADER_MAX 42

/*
 * Who wants to follow along: for a hash of the whole generations, say, update it in `bytes` and
 * copy it in `whole`. Either may be NULL. Neither may call back into the framing that calls it.
 *
 * bytes: the next n bytes of the stream, in order, each once. A batch header arrives here only when
 *        it is complete, because until then it is not known on which side of a generation's end it
 *        stands; so these bytes may lag behind what was fed, by less than FRAMING_HEADER_MAX.
 * whole: everything given to `bytes` so far is whole: f->whole_bytes, already updated, counts it.
 */
struct framing_sink {
    void (*bytes)(void *userdata, const void *data, size_t n);
    void (*whole)(void *userdata);
    void *userdata;
};

struct framing {
    /* to be read by anyone */
    enum framing_format format;
    unsigned go_minor;    /* 26 for `go 1.26 trace`; 0: not known yet */
    uint64_t offset;      /* bytes accepted; after an error, those before it, which may be fewer */
    uint64_t settled;     /* bytes given to the sink */
    uint64_t whole_bytes; /* this many bytes from the start are a whole trace; 0: none yet */
    uint64_t generations; /* in those bytes */
    const char *error;    /* static text, or NULL */

    /* for framing.c alone */
    struct framing_sink sink;
    const struct framing_rules *rules;
    int state;
    unsigned field;                   /* the number being read */
    unsigned shift;                   /* bits of it already read */
    uint64_t number[4];               /* generation, thread, timestamp, size */
    uint64_t generation;              /* the open one; 0: none */
    uint64_t last_generation;         /* the one that ended last; 0: none */
    uint64_t payload;                 /* bytes of the batch still to skip */
    unsigned n_text;                  /* bytes of text where a batch should begin */
    bool experimental;                /* the batch belongs to an experiment */
    bool fresh;                       /* none of the batch's bytes seen yet */
    bool clocked;                     /* the open generation has its frequency or sync batch */
    bool in_clock;                    /* the first such batch is being read */
    uint8_t clock[FRAMING_CLOCK_MAX]; /* how it begins */
    size_t n_clock;
    bool timed;             /* a batch header was read, so the times below are set */
    uint64_t first, newest; /* the earliest and the latest time in batch headers */
    uint64_t whole_newest;  /* the latest in whole_bytes */
    uint8_t held[FRAMING_HEADER_MAX];
    size_t n_held;
};

/* Starts a stream. sink may be NULL and is copied. There is nothing to release. */
void framing_init(struct framing *f, const struct framing_sink *sink);

/*
 * Reads the stream's next n bytes, in pieces of any size; how they are cut changes nothing. Returns
 * 0, or -EBADMSG from the first byte on that cannot be part of a trace, or a few bytes behind it if
 * it is of a text: then error and format say why, whole_bytes is still valid, and every later call
 * fails in the same way.
 */
int framing_feed(struct framing *f, const void *data, size_t n);

/*
 * The stream ended. clean: the transport vouches for having delivered it to its end (the last
 * chunk, or as many bytes as were announced). Before Go 1.26 nothing in the trace itself marks the
 * last generation's end, so it counts as whole only in a clean stream. To be called once, after an
 * error too. Returns
 *
 *   1         every byte is part of a whole trace: keep it as it is
 *   0         keep the first whole_bytes, cut off the rest
 *   -ENODATA  a trace, but with nothing whole in it
 *   -EBADMSG  not a trace
 *
 * and, unless it is 1, has the reason in error. 1 does not imply clean: a Go 1.26 trace that breaks
 * off exactly between two generations looks, and is, whole.
 */
int framing_finish(struct framing *f, bool clean);

/*
 * How many seconds the whole generations span, by the times in their batch headers: the last ones
 * are written as a generation ends. 0: not known, as for Go before 1.22.
 */
double framing_span(const struct framing *f);

#endif
