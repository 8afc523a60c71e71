/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Builds execution traces event by event, with meaningful content, for tests of libgotrace. There
 * is one trace and one batch at a time. What does not fit fails the test.
 */

#include <stddef.h>
#include <stdint.h>

#include "trace/gotrace.h"

/* Statuses as the trace writes them. */
enum { G_RUNNABLE = 1, G_RUNNING = 2, G_SYSCALL = 3, G_WAITING = 4 };
enum { P_RUNNING = 1, P_IDLE = 2 };

struct rawtrace_bytes {
    uint8_t data[64 << 10];
    size_t n;
};

extern struct rawtrace_bytes rawtrace, rawtrace_batch;
extern uint64_t rawtrace_generation;

void rawtrace_put(struct rawtrace_bytes *b, const void *data, size_t n);
void rawtrace_number(struct rawtrace_bytes *b, uint64_t v);

/* Begins a trace with the header of `go 1.<minor>`; its first generation is 1. */
void rawtrace_begin(unsigned minor);

/* Begin and end a batch of a thread. The end puts it into the trace and returns the offset of its
 * content there. */
void rawtrace_begin_batch(uint64_t m, uint64_t time);
uint64_t rawtrace_end_batch(void);

/* Adds an event of n numbers: the time since the event before, then the arguments. Returns its
 * offset in the batch. */
uint64_t rawtrace_event(unsigned type, unsigned n, ...);

#define U(x) ((uint64_t)(x))
#define EVENT1(type, a) rawtrace_event(GOTRACE_EV_##type, 1, U(a))
#define EVENT2(type, a, b) rawtrace_event(GOTRACE_EV_##type, 2, U(a), U(b))
#define EVENT3(type, a, b, c) rawtrace_event(GOTRACE_EV_##type, 3, U(a), U(b), U(c))
#define EVENT4(type, a, b, c, d) rawtrace_event(GOTRACE_EV_##type, 4, U(a), U(b), U(c), U(d))
#define EVENT5(type, a, b, c, d, e) \
    rawtrace_event(GOTRACE_EV_##type, 5, U(a), U(b), U(c), U(d), U(e))

/* Adds frequency and clocks as Go 1.25 and later: two units of the trace's clock are a
 * nanosecond. */
void rawtrace_sync(void);

/* Adds a string to a batch of strings. */
void rawtrace_string(uint64_t id, const char *text);

/* Adds strings 1 to 4 and stack 7: main.inner at pc 100 called by main.main at pc 200, both in
 * a.go. */
void rawtrace_tables(void);

/* Begins a batch of thread 5, which has proc 0, on which goroutine 1 runs. */
void rawtrace_begin_running(uint64_t time);

/* Ends the generation as Go 1.26 does, and begins the next one. */
void rawtrace_end_generation(void);

/* Builds a whole trace of Go 1.26: goroutine 1 creates goroutine 2 and blocks, and 2 starts. */
void rawtrace_small(void);

/* The bytes for a reader, and how it gets them. */
struct rawtrace_source {
    const uint8_t *data;
    size_t left;
    size_t piece;
    int error; /* instead of the end */
};

extern struct rawtrace_source rawtrace_source;

/* A gotrace_read_fn whose userdata is a struct rawtrace_source. */
ssize_t rawtrace_read(void *userdata, void *data, size_t n);

/* Opens a reader of the first n bytes of the trace, which it gets in one piece. */
struct gotrace *rawtrace_open(size_t n, const struct gotrace_options *options);
