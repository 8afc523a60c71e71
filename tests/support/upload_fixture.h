/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An uploader between a spool on a real directory (spool_fixture.h) and a store that a test scripts
 * (fake_store.h).
 */

#include "tests/support/fake_store.h"
#include "tests/support/spool_fixture.h"

#include "daemon/ship/uploader.h"

struct upload_fixture {
    struct uploader *uploader;
    struct fake_store *store;
    unsigned freed; /* stores */
};

extern struct upload_fixture up;

int upload_setup(void **state);
int upload_teardown(void **state);

/* Starts a spool that uploads, as fixture_start, and an uploader without a store. */
void upload_start(void);

/* Begins to use a new store; the write probe is under way afterwards. */
void upload_set(unsigned concurrency, bool keep);

/* Both of these; waits until the write probe has succeeded. */
void upload_start_with(unsigned concurrency);

/* Runs the loop until nothing is left to do but wait for time or for held calls. */
void upload_run(void);

/* Frees the uploader, then the spool. */
void upload_stop(void);

struct uploader_stats upload_stats(void);

/* The key of the nth put, without the day and the suffix: "092653-4711", with "R" after it for a
 * record. */
const char *upload_put(size_t n);
