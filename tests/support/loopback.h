/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A server on this machine with a thread of its own. It accepts a connection, reads a request and
 * plays a script: bytes to send, waits, and ways to end. A script can also read the request's body,
 * the next request, or the next connection. Every failure of the server itself ends the test
 * program.
 */

#include <stdbool.h>
#include <stddef.h>

enum loopback_what {
    LOOPBACK_SEND,   /* send `n` bytes of `data`; if n is 0, all of the string `data` */
    LOOPBACK_REPEAT, /* the same, `times` times or until the peer has gone */
    LOOPBACK_WAIT,   /* wait until the peer closes */
    LOOPBACK_GATE,   /* wait until loopback_open_gate */
    LOOPBACK_SLEEP,  /* sleep for `times` milliseconds */
    LOOPBACK_BODY,   /* read the body: `n` bytes, or 0: as many as Content-Length says */
    LOOPBACK_NEXT,   /* read the next request on the same connection */
    LOOPBACK_ACCEPT, /* close, and read a request on another connection */
    LOOPBACK_RESET,  /* end with a reset instead of a close; must be the last step */
};

struct loopback_step {
    enum loopback_what what;
    const void *data;
    size_t n;
    unsigned times;
};

/* Steps, and loopback_play with a script of them. */
#define SEND(text) {.what = LOOPBACK_SEND, .data = (text)}
#define BYTES(bytes, count) {.what = LOOPBACK_SEND, .data = (bytes), .n = (count)}
#define BODY {.what = LOOPBACK_BODY}
#define NEXT {.what = LOOPBACK_NEXT}
#define GATE {.what = LOOPBACK_GATE}
#define ACCEPT {.what = LOOPBACK_ACCEPT}
#define RESET {.what = LOOPBACK_RESET}
#define LOOPBACK_PLAY(server, ...)                                       \
    loopback_play((server), (const struct loopback_step[]){__VA_ARGS__}, \
                  sizeof((const struct loopback_step[]){__VA_ARGS__}) /  \
                      sizeof(struct loopback_step))

struct loopback_options {
    const char *unix_path; /* instead of a TCP port on 127.0.0.1; '@' first: abstract */
    /* for TLS */
    const char *cert_file, *key_file;
    const char *client_ca_file; /* demand a certificate of the client and verify it */
};

struct loopback;

struct loopback *loopback_new(const struct loopback_options *options);

/* The TCP port. */
unsigned loopback_port(const struct loopback *l);

/* Serves a connection by these steps. The data that they send is borrowed until loopback_join. */
void loopback_play(struct loopback *l, const struct loopback_step *steps, size_t n);

void loopback_open_gate(struct loopback *l);

/* Waits for the script's end, or ends the wait for a connection that never came. Returns the head
 * of the last request, "" if there was none; borrowed until the next play. */
const char *loopback_join(struct loopback *l);

/* After loopback_join: the bytes that LOOPBACK_BODY read of the last request. */
const void *loopback_body(const struct loopback *l, size_t *ret_n);

/* The name that the client asked for by SNI, or "". */
const char *loopback_asked_name(const struct loopback *l);

/* The subject of the client's certificate, or "". */
const char *loopback_client(const struct loopback *l);

void loopback_free(struct loopback *l);
