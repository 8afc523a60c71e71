/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads what trace/export writes, packet by packet, and holds it against the rules of the format: a
 * name, a key and a track are told before they are used, times do not go back within a track, and
 * what begins, ends.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PFPACKETS_TRACKS 65536
#define PFPACKETS_TEXT 64

struct pfpackets_slice {
    uint64_t track;
    int64_t begin, end; /* nanoseconds since the first packet's moment */
    char name[PFPACKETS_TEXT];
    char where[PFPACKETS_TEXT]; /* the track's name */
    unsigned depth;
};

struct pfpackets {
    struct pfpackets_slice *slices; /* NULL: they are only counted */
    size_t n, cap;
    uint64_t begins, ends, counters, samples, tracks, packets;
    int64_t now;
    const char *wrong; /* the first rule that was broken; NULL: none */
    void *state;
};

/* With room for so many slices. */
void pfpackets_init(struct pfpackets *p, size_t cap);
void pfpackets_done(struct pfpackets *p);

/* A packets_write_fn whose userdata is a struct pfpackets. Returns 0. */
int pfpackets_write(void *userdata, const void *data, size_t n);

/* All was written. */
void pfpackets_end(struct pfpackets *p);
