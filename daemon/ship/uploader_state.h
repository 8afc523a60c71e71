/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Shared by the uploader's own files only. uploader.c owns the object and decides when an upload
 * starts, uploader_end.c what happens after it, and uploader_log.c writes the log.
 */

#include "daemon/ship/delivery.h"
#include "daemon/ship/uploader.h"
#include "lib/store/http/breaker.h"

#define UPLOADER_ROW 5 /* if so many objects are refused in a row, the store is at fault */
#define UPLOADER_SUSPECTS 16
#define UPLOADER_PAUSES 2 /* in a row, before they are logged: one may come from a single file */
#define UPLOADER_PROBE_KEY ".contrace/probe-"
#define UPLOADER_DRAIN_PATIENCE (5 * USEC_PER_SEC) /* for a trace that is put off on its own */

struct flight {
    struct delivery delivery; /* must be first: its callback casts it to this struct */
    struct uploader *uploader;
    struct store *store;
    bool probe; /* the breaker's */
    usec begun; /* boot time */
    bool last;  /* the last user of an old store, which is freed with it */
    struct flight *prev, *next;
};

/* A small object that is uploaded at the start, to learn whether uploads will work. */
struct write_probe {
    struct store_call *call; /* NULL: answered */
    struct store_object object;
    char key[sizeof(UPLOADER_PROBE_KEY) + NAME_PART_MAX];
    char text[128];
    char sha256[STORE_SHA256_SIZE];
    struct store_meta meta;
};

struct suspect {
    char key[NAME_KEY_MAX];
    bool said; /* that it waits alone */
};

struct uploader {
    sd_event *event;
    struct disk *disk;
    struct spool *spool;
    uint64_t random; /* the generator's state */
    usec started;    /* real time, whole seconds */

    struct store *store; /* NULL: none */
    unsigned concurrency;
    bool keep, draining, cut;
    struct write_probe write_probe;
    struct breaker breaker;
    struct flight *flights, *dead; /* in flight; ended, to be freed from the event loop */
    unsigned in_flight, settling;
    sd_event_source *timer; /* when breaker and pause allow the next upload */
    sd_event_source *sweep;

    /* Pauses, when memory or descriptors are short or a file cannot be read. */
    usec pause_until; /* boot time */
    unsigned pauses;  /* in a row */

    /* Keys of objects refused in a row, each for the first time, with no success between. */
    char row[UPLOADER_ROW][NAME_KEY_MAX];
    unsigned n_row;
    bool row_parked; /* they parked the queue */

    /* The last traces that parked the queue. One that would do so again after others succeeded
     * waits alone instead. */
    struct suspect suspects[UPLOADER_SUSPECTS];
    unsigned n_suspects; /* ever */

    /* An object of others, which is sent while no trace is to be. */
    struct {
        struct store_call *call; /* NULL: none is being sent */
        store_done_fn done;
        void *userdata;
    } other;
    uploader_spare_fn spare; /* or NULL */
    void *spare_userdata;

    usec said; /* boot time at which the present trouble was last logged */
    bool parked_said;

    uint64_t ends[STORE_END_COUNT];
    uint64_t bytes;
    usec last_success;
    struct meters *meters; /* or NULL */
};

/* uploader_put.c: tells whoever has other objects that one may be sent. */
void uploader_tell_spare(struct uploader *u);
/* Ends the one that is being sent; its owner is told to try again. */
void uploader_drop_other(struct uploader *u);

/* uploader_end.c: disposes of the flight's item by the store's answer. After STORE_DONE the caller
 * archives the item. The caller also frees the flight. */
void uploader_end(struct uploader *u, struct flight *f, const struct store_result *result);
void uploader_probe_end(struct uploader *u, const struct store_result *result);
/* Starts no upload for a while. `why` is for the log. */
void uploader_pause(struct uploader *u, const char *why);

/* uploader_log.c */
void uploader_say_works(const struct uploader *u, const struct store_result *result);
void uploader_say_recovered(const struct uploader *u);
void uploader_say_trouble(struct uploader *u, const struct store_result *result, bool changed,
                          bool at_start);
void uploader_say_row(struct uploader *u, const struct store_result *result);
void uploader_say_aside(const struct uploader *u, const char *key,
                        const struct store_result *result);
void uploader_say_alone(const struct uploader *u, const char *key,
                        const struct store_result *result);
void uploader_say_struggles(const struct uploader *u, const char *key, unsigned times,
                            const struct store_result *result);
void uploader_say_pause(const struct uploader *u, const char *why);
void uploader_say_goes_on(const struct uploader *u);
