/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The room that is reserved for files in incoming/, and who waits for some: numbers and lists.
 * Whether room is given is decided in reservation.c.
 */

#include <stdbool.h>
#include <stdint.h>

/* Beside a trace itself room is reserved for its record and three directories; a longer record asks
 * for more when it is published. */
#define RESERVED_DIRECTORIES 3
#define RESERVED_RECORD ((uint64_t)16 << 10)
#define RESERVED_INODES (2 + RESERVED_DIRECTORIES)

/* One file's. */
struct reservation {
    struct reservation *prev, *next; /* all of them */
    struct reservation *next_waiting;
    uint64_t held;   /* bytes that it has */
    uint64_t wanted; /* bytes that it asks for in all */
    int fd;          /* of the file while that is written, else -1 */
    uint64_t
        written; /* without it: bytes of those held that will not be taken of the disk any more */

    /* The answer to a request that waited: 0, or a negative errno, and then it has what it had. */
    void (*answer)(void *userdata, int result);
    void *userdata;
};

struct reserved {
    struct reservation *all;
    struct reservation *waiting, **waiting_end; /* first come, first served */
    uint64_t bytes, files;                      /* that are held */
};

void reserved_init(struct reserved *s);

/* Holds nothing and asks for nothing yet; to be removed in that state. */
void reserved_add(struct reserved *s, struct reservation *r);
void reserved_remove(struct reserved *s, struct reservation *r);

/* What it asks for beyond what it has. */
uint64_t reserved_missing_bytes(const struct reservation *r);
uint64_t reserved_missing_files(const struct reservation *r);

/* It has what it asked for; it has nothing any more. */
void reserved_grant(struct reserved *s, struct reservation *r);
void reserved_release(struct reserved *s, struct reservation *r);

/* Goes to the end of those that wait; leaves them: true if it waited. */
void reserved_wait(struct reserved *s, struct reservation *r);
bool reserved_leave(struct reserved *s, struct reservation *r);

/* Bytes of it that will still be taken from the free space. */
uint64_t reserved_unwritten(const struct reservation *r);
