/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The room that is reserved for files in incoming/, and the requests that wait for room: only
 * numbers and lists. reservation.c decides which requests are granted.
 */

#include <stdbool.h>
#include <stdint.h>

/* Beside the trace itself, room is reserved for its record and three directories. A file with a
 * longer record asks for more room when it is published. */
#define RESERVED_DIRECTORIES 3
#define RESERVED_RECORD ((uint64_t)20 << 10)
#define RESERVED_INODES (2 + RESERVED_DIRECTORIES)

/* The reservation of one file. */
struct reservation {
    struct reservation *prev, *next; /* list of all reservations */
    struct reservation *next_waiting;
    uint64_t held;    /* bytes that are reserved */
    uint64_t wanted;  /* bytes that the file asks for in all */
    int fd;           /* descriptor of the file while it is written, else -1 */
    uint64_t written; /* if fd is -1: bytes of those held that need no more free space */

    /* Called with the answer to a request that waited. `result` is 0; or a negative errno, and then
     * the reservation holds what it held before. */
    void (*answer)(void *userdata, int result);
    void *userdata;
};

struct reserved {
    struct reservation *all;
    struct reservation *waiting, **waiting_end; /* first come, first served */
    uint64_t bytes, files;                      /* sums of all that is held */
};

void reserved_init(struct reserved *s);

/* Adds a reservation that holds nothing and asks for nothing. It must be in that state again when
 * it is removed. */
void reserved_add(struct reserved *s, struct reservation *r);
void reserved_remove(struct reserved *s, struct reservation *r);

/* What the reservation asks for beyond what it holds. */
uint64_t reserved_missing_bytes(const struct reservation *r);
uint64_t reserved_missing_files(const struct reservation *r);

/* reserved_grant: it now holds what it asked for. reserved_release: it holds nothing any more. */
void reserved_grant(struct reserved *s, struct reservation *r);
void reserved_release(struct reserved *s, struct reservation *r);

/* reserved_wait puts a reservation at the end of the waiting list. reserved_leave takes it from the
 * list: true if it was there. */
void reserved_wait(struct reserved *s, struct reservation *r);
bool reserved_leave(struct reserved *s, struct reservation *r);

/* Bytes of the reservation that will still be taken from the free space. */
uint64_t reserved_unwritten(const struct reservation *r);
