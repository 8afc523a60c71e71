/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A store for S3 whose server is a loopback server. One call at a time.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdbool.h>

#include "lib/store/interface/store.h"
#include "tests/support/loopback.h"
#include "tests/support/scratch.h"

#define HELLO "hello, store" /* the object in memory */

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define STATUS(line) "HTTP/1.1 " line "\r\nContent-Length: 0\r\n\r\n"

#define PLAY(w, ...) LOOPBACK_PLAY((w)->server, __VA_ARGS__)

struct world {
    char *dir;
    size_t descriptors;
    struct store_context context;
    struct loopback *server;
    struct upload_config u;
    char endpoint[64];
    struct store *store;
    struct store_call *call;
    int fd;
    bool ended, inside;
    struct store_result result;
    char got[4096];
    int refuse; /* what the handlers return */
};

/* Setup and teardown for cmocka. Every failure here ends the test. */
int world_setup(void **state);
int world_teardown(void **state);

/* The store. The first call makes it from `u`; later changes of `u` have no effect. */
struct store *world_store(struct world *w);

/* Handlers of a call, and what to do before it is begun, after that, and until it has ended. */
void world_on_done(void *userdata, const struct store_result *result);
int world_on_body(void *userdata, const void *data, size_t n);
int world_on_object(void *userdata, const char *key, uint64_t size, usec modified);
void world_clear(struct world *w);
void world_begun(struct world *w, int r);
enum store_end world_run(struct world *w);

/* An object in memory (HELLO), and one with these bytes in a file. */
struct store_object world_hello(void);
struct store_object world_file(struct world *w, const void *data, size_t n);

/* Whole calls: a put of this object or of HELLO, a head and a get of the key "k", a list of keys
 * that begin with "s". */
enum store_end world_put_object(struct world *w, const struct store_object *o);
enum store_end world_put(struct world *w);
enum store_end world_head(struct world *w);
enum store_end world_get(struct world *w);
enum store_end world_list(struct world *w, const char *after);

/* The server's answer to a HEAD, in a static buffer. */
const char *world_object_head(const char *size, const char *sha256);

void assert_has(const char *text, const char *part);
void assert_lacks(const char *text, const char *part);
