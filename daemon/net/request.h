/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One request as a libcurl handle: every option of it, what its callbacks do with the bytes, and
 * what its end means. Private to this room; http.c moves it on the event loop.
 */

#include <curl/curl.h>

#include "daemon/net/http.h"
#include "daemon/net/source.h"

struct http_request {
    struct http *http;
    struct http_request *prev, *next; /* in its list */
    bool given_up;                    /* with all others, at once */
    sd_event *event;                  /* borrowed */
    CURL *easy;
    struct curl_slist *headers;    /* may hold a secret: wiped */
    struct curl_slist *connect_to; /* for server_name */
    const struct http_handlers *handlers;
    void *userdata;
    int fd;                  /* the last one that was opened or watched for this transfer */
    sd_event_source *failed; /* it is over, but curl will not say so: the end is still to come */
    bool unwatched;          /* because its socket could not be watched */
    bool paused;             /* by the body's handler */
    /* what is sent */
    struct source source;
    size_t piece;            /* at most so much at a time; 0: as much as there is room for */
    uint64_t held_at;        /* where sending waited for what has come to be read */
    sd_event_source *go_on;  /* after that */
    bool expects;            /* 100-continue */
    bool expectation_failed; /* 417 */
    /* what came */
    int status; /* of the last status line; an interim one is below 200 */
    bool head_ended;
    size_t header_bytes;
    bool has_body;
    bool delimited;
    bool out_of_memory;
    int socket_error;    /* of socket(2), as a negative errno */
    const char *refused; /* why a header ended the transfer; static */
    /* whether anything moves */
    sd_event_source *watch;
    usec stall_timeout, moved_at;
    uint64_t moved;
    char error[CURL_ERROR_SIZE];
};

/* Builds the handle. 0, -ENOMEM or -EINVAL; request_done is due in any case. */
int request_init(struct http_request *r, const char *user_agent, const struct http_options *o);

/* The handle must have left the multi. */
void request_done(struct http_request *r);

void request_result(const struct http_request *r, CURLcode code, struct http_result *ret);
