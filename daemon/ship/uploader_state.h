/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the uploader's own files share and nobody else sees. uploader.c owns the object and decides
 * when a trace is started, uploader_end.c what becomes of it afterwards, uploader_log.c what people
 * are told.
 */

#include "daemon/ship/delivery.h"
#include "daemon/ship/uploader.h"
#include "lib/store/http/breaker.h"

#define UPLOADER_ROW 5 /* refused objects in a row that are the store's fault rather than theirs */
#define UPLOADER_SUSPECTS 16
#define UPLOADER_PAUSES 2 /* in a row, before a person is told: one may be a single file's fault */
#define UPLOADER_PROBE_KEY ".contrace/probe-"
#define UPLOADER_DRAIN_PATIENCE (5 * USEC_PER_SEC) /* for what is put off while all is well */

struct flight {
    struct delivery delivery; /* first: the delivery's callback gets no more */
    struct uploader *uploader;
    struct store *store;
    bool probe; /* the breaker's */
    usec begun; /* boot time */
    bool last;  /* the store is freed with it */
    struct flight *prev, *next;
};

/* The small object that tells at the start whether uploads will work. */
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
    struct flight *flights, *dead; /* under way; to be freed from the event loop */
    unsigned in_flight, settling;
    sd_event_source *timer; /* when the breaker or a pause may let something go that waits now */
    sd_event_source *sweep;

    /* For want of memory, descriptors or a file's bytes. */
    usec pause_until; /* boot time */
    unsigned pauses;  /* in a row */

    /* Refused one after the other for the first time, with no success between. */
    char row[UPLOADER_ROW][NAME_KEY_MAX];
    unsigned n_row;
    bool row_parked; /* the queue is parked for that */

    /* The last ones that parked the queue: one that does it again after others fared well waits
     * alone. */
    struct suspect suspects[UPLOADER_SUSPECTS];
    unsigned n_suspects; /* ever */

    usec said; /* boot time at which the present trouble was last spoken of */
    bool parked_said;

    uint64_t ends[STORE_END_COUNT];
    uint64_t bytes;
    usec last_success;
    struct meters *meters; /* or NULL */
};

/* uploader_end.c: what becomes of the item. One that is done is settled by the caller, which frees
 * the flight, too. */
void uploader_end(struct uploader *u, struct flight *f, const struct store_result *result);
void uploader_probe_end(struct uploader *u, const struct store_result *result);
/* Nothing is started for a while. `why` for the log. */
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
