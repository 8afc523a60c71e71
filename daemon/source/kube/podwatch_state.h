/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Shared by podwatch.c, which makes the requests, and podwatch_read.c, which reads the answers. */

#include "daemon/source/kube/cutter.h"
#include "daemon/source/kube/follow.h"
#include "daemon/source/kube/podwatch.h"
#include "lib/net/redact.h"

#define PODWATCH_TEXT_MAX 512

struct podwatch {
    sd_event *event;
    struct http *http;
    char *server, *namespace, *label, *field;
    struct access access;
    char *name; /* for the log: "pods of namespace shop" */
    void (*changed)(void *userdata);
    void *userdata;
    uint64_t random;
    struct follow follow;
    struct podset *pods;
    sd_event_source *timer;
    /* What has come of a request is in `end`, `error` and `text`. `turned`: a list was taken over,
     * and the next request may be made at once. */
    void (*next)(struct podwatch *w, bool turned);
    bool failing; /* the log says so */
    bool synced;  /* a list was read to its end at least once */
    bool full;    /* the log says that there are too many pods */
    /* The request that is under way. */
    struct http_request *request;
    struct redact secrets;
    struct cutter cutter;
    struct follow_end end;
    usec began;
    int error;                    /* that ended the reading */
    struct buf refusal;           /* the body of an answer that is no list */
    char text[PODWATCH_TEXT_MAX]; /* what went wrong, for people; "" for nothing */
};

/* podwatch_read.c */
extern const struct http_handlers podwatch_handlers;

/* Prepares the reading of an answer to the step that `follow` is at. */
void podwatch_read_begin(struct podwatch *w);
void podwatch_read_done(struct podwatch *w);

/* The server answers as it should: says so if the log says otherwise. */
void podwatch_read_works(struct podwatch *w);
