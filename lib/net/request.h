/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One request as a libcurl handle: its options, callbacks and result. Private to lib/net; http.c
 * runs it on the event loop.
 */

#include <curl/curl.h>
#include <systemd/sd-event.h>

#include "lib/net/exchange.h"
#include "lib/net/source.h"

#define REQUEST_HEADERS_TOO_LONG "the response's headers are longer than 64 KiB"

struct http_request {
    struct http *http;
    struct http_request *prev, *next; /* in its list */
    bool given_up;                    /* with all others, at once */
    sd_event *event;                  /* borrowed */
    CURL *easy;
    struct curl_slist *headers;    /* may hold a secret: wiped */
    struct curl_slist *connect_to; /* for server_name */
    char *proxy;                   /* the proxy's URL, perhaps with a password; NULL: none */
    const char *proxy_setting;     /* which setting named it, as proxy_find tells */
    bool misdirected;              /* the proxy's URL is none: `error` says why */
    const struct http_handlers *handlers;
    void *userdata;
    int fd;                  /* the last descriptor that was opened or watched for this transfer */
    sd_event_source *failed; /* it has ended, but curl will not report it: finish it on the loop */
    bool unwatched;          /* because its socket could not be watched */
    bool paused;             /* by the body's handler */
    /* what is sent */
    struct source source;
    size_t piece;           /* bytes to send at a time, at most; 0: no bound */
    uint64_t held_at;       /* the position at which sending waited for received bytes to be read */
    sd_event_source *go_on; /* after that */
    bool expects;           /* 100-continue */
    bool expectation_failed; /* 417 */
    /* what came */
    int status; /* from the last status line; below 200: interim */
    bool head_ended;
    size_t header_bytes;
    bool has_body;
    bool delimited;
    bool out_of_memory;
    int socket_error;    /* error of socket(2), a negative errno */
    const char *refused; /* why a header ended the transfer; static */
    /* whether anything moves */
    sd_event_source *watch;
    usec stall_timeout, moved_at;
    uint64_t moved;
    char error[CURL_ERROR_SIZE];
};

/* Sets an option of the handle, or returns -ENOMEM from the function around it. */
#define REQUEST_SET(r, option, value)                                   \
    do {                                                                \
        if (curl_easy_setopt((r)->easy, (option), (value)) != CURLE_OK) \
            return -ENOMEM;                                             \
    } while (0)

/* connection.c: how the server is reached, and what it is called there. As request_init. */
int connection_init(struct http_request *r, const struct http_options *o);

/* request_header.c: adds a header line. 0 or -ENOMEM. */
int request_add_header(struct http_request *r, const char *line);

/* Builds the handle. 0, -ENOMEM or -EINVAL. Call request_done in any case. */
int request_init(struct http_request *r, const char *user_agent, const struct http_options *o);

/* The handle must have been removed from the multi handle. */
void request_done(struct http_request *r);

/* result.c */
void request_result(const struct http_request *r, CURLcode code, struct http_result *ret);
