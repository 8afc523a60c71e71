/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Tells from a goroutine's stack what it waits for. The runtime's reasons are coarse: `sync` is a
 * mutex or a WaitGroup, `network` a slow database or a connection that nobody uses, and an endless
 * syscall may be a disk that hangs or os/signal doing its work. Functions of the standard library
 * and of a few libraries that nearly every service uses are known by name; the innermost known
 * function decides.
 */

#include <stddef.h>
#include <stdint.h>

#include "trace/gotrace.h"

enum stack_class {
    STACK_OTHER = 0, /* nothing is known */
    STACK_LOCK, /* waits for a mutex: sync.Mutex, RWMutex, the turn to write to a file or socket */
    STACK_JOIN, /* waits for others to finish: WaitGroup, Cond, errgroup, a fan-out's end */
    STACK_LISTENER, /* waits for whatever may come: accept, the next request or message */
    STACK_CALL,     /* waits for the answer to a request of its own */
    STACK_HANDLER,  /* somewhere in the service of a request */
    STACK_PARKED,   /* in a syscall whose purpose it is to wait: signals, children, poll */
    STACK_READ,     /* in a read that blocks: of a pipe, a terminal or a disk */
    STACK_TRACER,   /* the tracing itself */
    STACK_RUNTIME,  /* a stack with functions of the runtime only */
    STACK_N_CLASSES,
};

/* Sets of classes. A standing wait delays nobody. */
#define STACK_SET(class) (1u << (class))
#define STACK_ALL (~0u)
#define STACK_STANDING \
    (STACK_SET(STACK_LISTENER) | STACK_SET(STACK_PARKED) | STACK_SET(STACK_TRACER))

/* The class of a function by its name, as in a stack; STACK_OTHER if it is not in the table. */
enum stack_class stack_class_of(const char *func, size_t len);

/* "lock", "join", …: the class in a word, for programs. */
const char *stack_class_name(enum stack_class class);

/* The nth function of the table, from 0, and its class; NULL beyond the last. */
const char *stack_class_known(size_t n, enum stack_class *ret);

/* The class of a stack of the present generation. This reads every frame, so the result is worth
 * keeping. */
enum stack_class stack_classify(const struct gotrace *trace, uint32_t stack);
