/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_SPOOL_STATE_H
#define CONTRACE_SPOOL_STATE_H

/*
 * What the spool's own files share and nobody else sees. spool.c owns the object and its clocks,
 * file.c the files in incoming/, reservation.c who may write how much, pass.c carries out retention,
 * queue.c knows what of pending/ may be uploaded now, pending.c gives it out, amending.c replaces
 * records, kept.c shows what is kept.
 */

#include "lib/spool/disk/amendment.h"
#include "lib/spool/core/index.h"
#include "lib/spool/disk/publication.h"
#include "lib/spool/core/recent.h"
#include "lib/spool/spool.h"
#include "lib/spool/disk/tree.h"

/* Beside the trace itself, a file reserves room for its record and three directories; a longer
 * record asks for more when it is published. */
#define STATE_DIRECTORIES 3
#define STATE_RECORD_ROOM ((uint64_t)16 << 10)
#define STATE_INODES (2 + STATE_DIRECTORIES)

/* What a trace whose record is going to be amended takes beside itself and that record. A file's
 * reservation is always that much more than what it was needed for. */
#define STATE_AMEND_ROOM AMENDMENT_RECORD_MAX

enum file_state {
    FILE_WAITS_NEW,     /* for its first room; has no descriptor */
    FILE_OPEN,          /* the caller writes to it */
    FILE_WAITS_GROW,    /* open, for more room */
    FILE_WAITS_PUBLISH, /* the spool's, for the room of a long record */
    FILE_PUBLISHING,    /* on a disk thread */
    FILE_DISCARDING,    /* on a disk thread */
    FILE_STUCK,         /* could not be unlinked; keeps its room and is tried again */
};

struct spool_file {
    struct disk_job job;
    struct spool *spool;
    struct spool_file *prev, *next; /* all files */
    struct spool_file *next_waiting;
    enum file_state state;
    int fd;
    char tmp[32];      /* its name in incoming/ */
    uint64_t reserved; /* what it holds of the spool's reservation */
    uint64_t wanted;   /* while waiting: what it is to hold */
    spool_room_fn room_fn;
    void *room_userdata;

    /* From spool_file_publish on. */
    spool_published_fn published_fn;
    void *published_userdata;
    struct name name;
    struct publication publication;
    char *record;
    char *key;
    unsigned foreign; /* names that were taken by what is not in the index */
    int error;        /* why it is discarded instead of published */
};

#define PASS_REMOVALS 16 /* jobs in flight at once: publications must not wait for a long pass */

struct removal {
    struct disk_job job;
    struct spool *spool;
    size_t choice; /* into the pass's */
    bool active;
};

struct pass_choice {
    const char *key; /* the index's: nobody else removes a busy item */
    usec time;
    uint64_t bytes;
    bool pending;
    enum retention_cause cause;
};

/* Deletions under way. One pass at a time: what it frees is known only at its end. */
struct pass {
    struct pass_choice *choices;
    size_t n, next;
    unsigned in_flight;
    struct removal removals[PASS_REMOVALS];
    uint64_t deleted[RETENTION_CAUSES];
    uint64_t deleted_bytes, pending_deleted;
    uint64_t freeing; /* bytes deleted for the sake of free space */
    int64_t headroom; /* before */
    unsigned failed;
    int error; /* of the last failure */
};

#define ARCHIVING_BATCH 64

/* Uploaded traces of one day that are being moved to the archive. */
struct archiving {
    struct disk_job job;
    struct spool_item *items[ARCHIVING_BATCH];
    size_t n; /* 0: none are */
};

/* A record on its way to be replaced. */
struct amending {
    struct disk_job job;
    struct spool *spool;
    struct amending *next;
    bool running; /* on a disk thread, and its item busy; else it waits until nobody has the item */
    char key[NAME_KEY_MAX];
    char tmp[40];
    char *texts[3]; /* behind what.label, .not_inspected and .summary */
    struct amendment amendment;
    spool_amended_fn fn;
    void *userdata;
};

struct spool {
    sd_event *event;
    struct disk *disk;
    struct tree tree;
    struct retention_limits limits;
    bool upload;
    struct index kept;
    usec base_real, base_boot; /* see spool_age_now */
    sd_event_source *wake;     /* once, when something may go on */
    sd_event_source *expiry;   /* when the oldest trace comes of age */

    struct spool_file *files;
    struct spool_file *waiting, **waiting_end; /* first come, first served */
    uint64_t reserved_bytes, reserved_files;
    uint64_t tmp_counter;
    unsigned publishing;
    unsigned jobs; /* on the disk threads */
    bool closing;  /* spool_free was called while there were some */

    struct pass *pass;      /* NULL: none */
    unsigned barren_passes; /* in a row, in which every deletion failed */
    uint64_t failed_items;  /* that rest */
    unsigned failed_rounds; /* of tries in a row, each after a rest, in which some failed */
    usec failed_last;       /* boot time: when a deletion failed */
    usec failed_retry;      /* boot time at which failed items are tried again, needed or not */
    usec space_hold_until;  /* boot time: no deletion for free space before, it did not rise */
    usec mend_retry;        /* of directories that were removed and could not be made anew */
    unsigned stuck;         /* files in incoming/ that could not be unlinked, and rest */
    unsigned stuck_rounds;  /* as failed_rounds, and so on */
    usec stuck_last, stuck_retry;
    bool no_room;                      /* the last who asked for a new file was refused */
    bool no_room_said, delete_failing; /* in the log, not yet taken back */
    usec no_room_quiet;                /* boot time before which it is not said again */
    uint64_t full_bytes; /* what was kept when a write found the disk full; see room_limits */
    usec full_until;     /* boot time until which that is a bound */

    spool_pending_fn pending_fn;
    void *pending_userdata;
    sd_event_source *pending_wake;  /* once, when pending_fn is to be called */
    sd_event_source *pending_retry; /* when what was put off is offered again */
    usec put_off_next;              /* boot time of that; USEC_NEVER: nothing is put off */
    usec put_off_quiet;             /* boot time before which failures are not said again */

    struct archiving archiving;
    struct spool_item *to_archive; /* in the order in which they came */
    unsigned n_to_archive;
    unsigned taken;                  /* items that are neither given back nor to be archived */
    sd_event_source *archiving_wait; /* for others to be archived with those that wait */
    struct recent recent;            /* keys that the store has and nothing here tells of */

    struct amending *amendings;  /* in the order in which they came */
    sd_event_source *amend_wake; /* once, when some of them may go on */
    spool_kept_fn kept_fn;
    void *kept_userdata;

    struct spool_list *lists; /* that are being made */

    uint64_t deleted[RETENTION_CAUSES];
    uint64_t dropped_unsent;
};

/* What fails rests, first as long as one bad moment lasts, then twice that, and so on. No capture
 * is refused for longer than the first rest after the last failure. */
#define REST_FIRST (5 * USEC_PER_SEC)
#define REST_MOST (10 * USEC_PER_MIN)

/* spool.c */
usec spool_rest(unsigned failures); /* after so many failures before this one */
usec spool_now_boot(const struct spool *s);
usec spool_age_now(const struct spool *s);
void spool_wake(struct spool *s);
void spool_arm_expiry(struct spool *s);
void spool_will_expire(struct spool *s, usec time); /* a trace of this time joined the archive */
/* Where the key is in the index, in either directory. */
bool spool_find(const struct spool *s, const char *key, size_t *ret);
void spool_submit(struct spool *s, struct disk_job *job);
void spool_job_ended(struct spool *s); /* may free a closing spool: nothing may follow */

/* reservation.c */
int reservation_facts(const struct spool *s, uint64_t bytes, uint64_t files,
                      struct retention_facts *ret);
int64_t reservation_headroom(const struct retention_facts *f);
/* Asks for f->wanted bytes in all. 1: has them; 0: waits; or a negative errno. */
int reservation_request(struct spool_file *f);
void reservation_release(struct spool_file *f);
void reservation_forget(struct spool_file *f); /* leaves the queue if it is in it */
void reservation_advance(struct spool *s);

/* pass.c */
bool pass_held(const struct spool *s); /* nothing can be deleted just now */
/* Begins to delete what the plan says. `no_space`: but not for free space. 1; 0 when that is
 * nothing; or -ENOMEM. */
int pass_start(struct spool *s, const struct retention_plan *plan,
               const struct retention_facts *facts, bool no_space);
void pass_free(struct pass *p);
/* True when what could not be deleted may be tried again: sooner if room is needed. */
bool pass_retry_failed(struct spool *s, bool needed);

/* file.c */
void file_room(struct spool_file *f, int r); /* the answer to a request that waited */
uint64_t file_unwritten(const struct spool_file *f);
void file_free(struct spool_file *f);
void file_retry_stuck(struct spool *s, bool needed); /* as pass_retry_failed */

/* archiving.c */
int archiving_start(struct spool *s);
void archiving_stop(struct spool *s);
void archiving_untaken(struct spool *s); /* one item less is in somebody's hands */

/* amending.c */
int amending_start(struct spool *s);
void amending_stop(struct spool *s);
void amending_kick(struct spool *s); /* an item is free again */

/* kept.c */
void kept_stop(struct spool *s);

/* queue.c: item i is one of pending/ that nobody has taken. */
int queue_start(struct spool *s);
void queue_stop(struct spool *s);
void queue_kick(struct spool *s);          /* calls pending_fn soon */
void queue_now(struct spool *s, size_t i); /* item i may be taken that could not be */
void queue_due(struct spool *s, usec now); /* what was put off until now */
void queue_later(struct spool *s, size_t i, usec wait);
void queue_never(struct spool *s, size_t i); /* before it is asked for */
/* Its record has been amended, or will not be: item i of either directory. */
void queue_release(struct spool *s, size_t i);
/* What cannot be opened or archived now rests for a while. True when a person must be told: once,
 * however many there are. */
bool queue_rest(struct spool *s, size_t i);

#endif
