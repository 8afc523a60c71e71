/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An artifact's bytes on their way into a file: hashed, judged and written as they come, within
 * reserved room and a limit. Captures, which ask for the artifact, and pushes, which are sent it,
 * take it by this. It knows neither HTTP nor the spool.
 */

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/artifact/artifact.h"
#include "daemon/capture/judgement.h"
#include "daemon/capture/writer.h"

/* Bytes kept from the start of a body, to show what it is if it is not the artifact. */
#define INTAKE_HEAD_MAX 512

/* Asks for room for `bytes` bytes in all. 1: there is; 0: intake_room will bring the answer; or a
 * negative errno. */
typedef int (*intake_grow_fn)(void *userdata, uint64_t bytes);

/* To be read, not to be changed, by others. */
struct intake {
    const struct artifact *artifact;
    intake_grow_fn grow;
    void *userdata;
    struct writer writer;
    uint64_t limit; /* of bytes */
    uint64_t room;
    uint64_t written;  /* bytes accepted so far, in the writer's block or in the file */
    void *body;        /* the artifact's state for judging the body; NULL: not begun */
    EVP_MD_CTX *hash;  /* of all bytes that the artifact has accepted */
    EVP_MD_CTX *whole; /* a copy of `hash` from the last time when all accepted bytes were whole */
    bool hash_failed;
    const char *cut_by; /* why this side ended the body: size_limit, no_space, …; static */
    int error;          /* of write(2), as a negative errno */
    char head[INTAKE_HEAD_MAX];
    size_t head_len;
};

/* `fd` is borrowed and written from its beginning; `room` bytes may be written before grow() is
 * called. 0, or -ENOMEM and nothing is left to be released. */
int intake_init(struct intake *in, const struct artifact *a, int fd, uint64_t limit, uint64_t room,
                intake_grow_fn grow, void *userdata);
void intake_done(struct intake *in);

/* Takes the next bytes. 1: all. 0: none, there is no room yet: the same again after intake_room.
 * A negative errno: no more can be taken. */
int intake_take(struct intake *in, const void *data, size_t n);

/* Answers grow(): there is room for this many bytes in total, or none (r is a negative errno). */
void intake_room(struct intake *in, uint64_t room, int r);

/* Notes how a body begins that is not the artifact's, such as an error page. Whether it wants to
 * see more of it. */
bool intake_look(struct intake *in, const void *data, size_t n);

/* This side ends the body. `why` is static. */
void intake_cut(struct intake *in, const char *why);

/* The body has ended: writes what is left of it, and judges it. The caller has filled in what it
 * knows of the request: http, secrets, window, own_path, stopped. */
void intake_judge(struct intake *in, const struct evidence *request, struct capture_result *ret);
