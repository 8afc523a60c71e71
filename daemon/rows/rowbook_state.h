/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Shared by the row book's own files only. rowbook.c owns the object and takes one step after the
 * other: append, seal, or one of rowbook_ship.c (upload) and rowbook_catchup.c (records of an
 * earlier run). rowbook_job.c is what the disk threads do for it.
 */

#include "base/filehash.h"
#include "daemon/rows/journal.h"
#include "daemon/rows/rowbook.h"

#define ROWBOOK_TAKEN_MAX 256 /* records that wait to be read, each with a descriptor */
#define ROWBOOK_BATCH 32      /* of these, in one job */
#define ROWBOOK_FILE_MAX ((uint64_t)16 << 20) /* of a file in open/, before all are shipped */

/* A record whose rows are to be written. */
struct rowbook_taken {
    struct rowbook_taken *next;
    int fd; /* of the record, owned */
    char key[NAME_KEY_MAX];
};

enum rowbook_work {
    ROWBOOK_APPEND,
    ROWBOOK_SEAL,
    ROWBOOK_NEXT,
    ROWBOOK_REMOVE,
};

/* A job owns all that it needs, so the row book may go meanwhile. */
struct rowbook_job {
    struct disk_job job;
    struct rowbook *book; /* NULL: gone */
    enum rowbook_work work;
    int root; /* owned */
    char host[NAME_PART_MAX + 1];
    usec now; /* real time */
    uint64_t random;
    struct rowbook_taken *taken; /* ROWBOOK_APPEND */
    uint64_t largest;            /* then: bytes of the largest file */
    usec since;                  /* ROWBOOK_SEAL: 0: the mark stays */
    unsigned dropped;            /* then */
    char name[ROWFILE_NAME_MAX]; /* ROWBOOK_NEXT, ROWBOOK_REMOVE */
    uint64_t size;               /* ROWBOOK_NEXT */
    int fd;                      /* likewise, owned; -1: none */
};

/* rowbook.c, as the others call it. */
struct rowbook_calls {
    /* Starts what is to be done next, unless something is under way. */
    void (*step)(struct rowbook *b);
    /* Takes the record of a key, which may be gone. */
    void (*take)(struct rowbook *b, const char *key);
    /* A job has ended, and will be freed. */
    void (*ended)(struct rowbook *b, struct rowbook_job *j, int r);
};

struct rowbook {
    const struct rowbook_calls *up;
    sd_event *event;
    struct disk *disk;
    struct spool *spool;
    struct uploader *uploader;
    char host[NAME_PART_MAX + 1];
    uint64_t random; /* the generator's state */
    bool enabled, finishing, cut;
    usec interval;
    char *path;              /* storage.path; NULL: not known yet */
    int root;                /* of the journal; -1: not open */
    struct rowbook_job *job; /* on a disk thread; NULL: none */

    struct rowbook_taken *taken, **last;
    size_t n_taken;
    sd_event_source *timer; /* the next shipment */
    bool seal;              /* what is in open/ is to be shipped */
    bool said;              /* rows cannot be written: that was logged */

    /* The mark: rows of older records were written. It stays while anything was missed. */
    usec since;
    bool missed;
    usec sealing; /* where the mark is to be after the present seal; 0: it stays */

    bool catching;
    usec until;              /* real time: records of younger keys come by themselves */
    struct spool_list *page; /* being made */
    char before[NAME_KEY_MAX];
    sd_event_source *pause;

    bool waiting; /* there may be files in ready/ */
    bool gave_up; /* the store did not take one while contraced stopped */
    bool sending;
    bool remove; /* `name` is in the store, and not removed yet */
    int fd;      /* of the file that is sent; -1: none */
    uint64_t size;
    char name[ROWFILE_NAME_MAX];
    char key[ROWFILE_KEY_MAX];
    char sha256[FILEHASH_SIZE];
    struct filehash *hashing;
    struct store_object object;
    struct store_meta meta;
    unsigned failures; /* in a row */
    sd_event_source *retry;
};

/* rowbook_job.c: makes a job, whose result is zeroed, and begins it. NULL when memory or descriptors
 * are short. */
struct rowbook_job *rowbook_job_new(struct rowbook *b, enum rowbook_work work);
void rowbook_job_submit(struct rowbook *b, struct rowbook_job *j);
void rowbook_taken_free(struct rowbook_taken *t);

/* rowbook_catchup.c */
int rowbook_catchup_new(struct rowbook *b);
void rowbook_catchup_begin(struct rowbook *b);
void rowbook_catchup_stop(struct rowbook *b);

/* rowbook_ship.c */
int rowbook_ship_new(struct rowbook *b);
void rowbook_ship(struct rowbook *b);
void rowbook_ship_next(struct rowbook *b, struct rowbook_job *j, int r);
void rowbook_ship_stop(struct rowbook *b);
