/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a goroutine waits for, as its stack tells. The runtime's reasons are coarse: `sync` is a
 * mutex or a WaitGroup, `network` a slow database or a connection that nobody uses, and a syscall
 * that takes for ever may be a disk that hangs or os/signal doing its work. Functions of the
 * standard library and of a few libraries that nearly every service has are known by name; the
 * innermost that is known decides.
 */

#include <stddef.h>
#include <stdint.h>

#include "trace/gotrace.h"

enum stack_class {
    STACK_OTHER = 0, /* nothing is known */
    STACK_LOCK,      /* a mutex: sync.Mutex, RWMutex, the turn to write to a file or connection */
    STACK_JOIN,      /* for others to finish: WaitGroup, Cond, errgroup, a fan-out's end */
    STACK_LISTENER,  /* for whatever may come: accept, the next request or message */
    STACK_CALL,      /* for the answer to a request of its own */
    STACK_HANDLER,   /* somewhere in the service of a request */
    STACK_PARKED,    /* in a syscall whose purpose it is to wait: signals, children, poll */
    STACK_READ,      /* in a read that blocks: a pipe or a terminal, or a disk */
    STACK_TRACER,    /* the tracing itself */
    STACK_RUNTIME,   /* the runtime's own, and nothing else on it */
    STACK_N_CLASSES,
};

/* Sets of classes. Standing waits are nobody's delay. */
#define STACK_SET(class) (1u << (class))
#define STACK_ALL (~0u)
#define STACK_STANDING \
    (STACK_SET(STACK_LISTENER) | STACK_SET(STACK_PARKED) | STACK_SET(STACK_TRACER))

/* Of a function's name, as in a stack; STACK_OTHER if it is not in the table. */
enum stack_class stack_class_of(const char *func, size_t len);

/* The nth function that is known, from 0; NULL beyond the last. */
const char *stack_class_known(size_t n, enum stack_class *ret);

/* Of a stack of the present generation. It reads every frame: keep the answer. */
enum stack_class stack_classify(const struct gotrace *trace, uint32_t stack);
