/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Writes the packets of Perfetto's format (protos/perfetto/trace/trace_packet.proto and what it
 * includes): one sequence whose times are the differences to the packet before, with names that are
 * told once. It knows how things are written, and not what they mean.
 */

#include <stdbool.h>
#include <stdint.h>

#include "trace/common/texts.h"
#include "trace/export/proto.h"
#include "trace/gotrace.h"

/* Takes whole packets. 0 or a negative errno, which ends everything. */
typedef int (*packets_write_fn)(void *userdata, const void *data, size_t n);

/* What a slice says beside its name. */
enum packets_key { PACKETS_NO_KEY, PACKETS_GOROUTINE, PACKETS_P, PACKETS_TASK, PACKETS_PARENT };

#define PACKETS_VALUES 2

struct packets_slice {
    uint32_t name; /* in texts */
    uint8_t keys[PACKETS_VALUES];
    int64_t values[PACKETS_VALUES];
};

enum packets_unit { PACKETS_COUNT = 2, PACKETS_BYTES = 3 }; /* as CounterDescriptor.Unit */

/* What the trace's clock is: its times are CLOCK_MONOTONIC's if it tells so. */
struct packets_clock {
    int64_t time;  /* the trace's, */
    uint64_t mono; /* CLOCK_MONOTONIC then */
    int64_t real;  /* nanoseconds since 1970 then; 0: not known */
};

struct packets {
    struct proto out;
    const struct texts *texts;
    packets_write_fn write;
    void *userdata;
    int error;
    struct packets_clock clock;
    int64_t last;                  /* the time of the last packet that has one */
    uint64_t told[TEXTS_MAX / 64]; /* a bit for each text that was told */
    uint64_t count, bytes;         /* that were written */
};

/* Writes the first packet. The texts are borrowed. */
void packets_init(struct packets *p, const struct texts *texts, const struct packets_clock *clock,
                  packets_write_fn write, void *userdata);
void packets_done(struct packets *p);

/*
 * A track; `rank` orders it among its parent's, by_rank says that its own children are ordered so.
 * A track without a parent is one of the file's. It may be told again when its name is known.
 */
struct packets_track {
    uint64_t id, parent;
    const char *name; /* "": not known yet */
    int64_t rank;
    bool by_rank;
    bool alone;             /* never shown as one with others of its name */
    enum packets_unit unit; /* of a counter; 0: it is none */
};

void packets_track(struct packets *p, const struct packets_track *track);

void packets_slice_begin(struct packets *p, int64_t time, uint64_t track,
                         const struct packets_slice *slice);
void packets_slice_end(struct packets *p, int64_t time, uint64_t track);
void packets_counter(struct packets *p, int64_t time, uint64_t track, int64_t value);

/* A CPU sample of a goroutine. `named` is the goroutine's name if it was not told yet, else NULL. */
void packets_sample(struct packets *p, const struct gotrace *trace, const struct gotrace_event *e,
                    const char *named);

/* Hands out all that was written. 0, or the first failure. */
int packets_flush(struct packets *p);
