/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Tells from a goroutine's stack what it waits for. The runtime's reasons are coarse: `sync` is a
 * mutex or a WaitGroup, `network` a slow database or a connection that nobody uses, and an endless
 * syscall may be a disk that hangs or os/signal doing its work. Functions of the standard library
 * and of a few libraries that nearly every service uses are known by name; the innermost known
 * function decides. Beside that a stack has traits, which all its functions contribute to: above all,
 * whether it serves a request.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stack_class {
    STACK_OTHER = 0, /* nothing is known */
    STACK_LOCK, /* waits for a mutex: sync.Mutex, RWMutex, the turn to write to a file or socket */
    STACK_JOIN, /* waits for others to finish: WaitGroup, Cond, errgroup, a fan-out's end */
    STACK_LISTENER,  /* waits for whatever may come: accept, the next request or message */
    STACK_CALL,      /* waits for the answer to a request of its own */
    STACK_HANDLER,   /* somewhere in the service of a request */
    STACK_PARKED,    /* in a syscall whose purpose it is to wait: signals, children, poll */
    STACK_READ,      /* in a read that blocks: of a pipe, a terminal or a disk */
    STACK_TRACER,    /* the tracing itself */
    STACK_POOL,      /* waits for one of its own process's connections, all of which are in use */
    STACK_LIMIT,     /* waits for its turn, which its own process limits: a semaphore, a rate */
    STACK_CONN,      /* waits for a connection to a peer: to be opened, or one that is in use */
    STACK_CLIENT,    /* in a request: for its body to come, or its answer to be taken */
    STACK_RUNTIME,   /* a stack with functions of the runtime only */
    STACK_N_CLASSES, /* at most 16: stackclass.c */
};

/* What else a stack tells, whatever the innermost known function is. */
enum stack_trait {
    STACK_NEXT = 1 << 4,          /* on a connection that brings one request after the other */
    STACK_TAKES = 1 << 5,         /* moves what a client sends or is sent, if it serves a request */
    STACK_MIXED = 1 << 7,         /* a loop whose calls may be requests or streams */
    STACK_SERVES = 1 << 8,        /* serves a request that gets one answer */
    STACK_STREAMS = 1 << 9,       /* talks with a client for as long as that likes */
    STACK_DISPATCHES = 1 << 10,   /* a server's loop, which calls the program for each request */
    STACK_ACCEPTS = 1 << 11,      /* waits for connections, */
    STACK_KNOWN_SERVER = 1 << 12, /* for a server whose readers are known by name */
    STACK_DIALS = 1 << 13,        /* opens a connection that STACK_CONN waits for */
    STACK_FLUSHES = 1 << 14,      /* sends a part of an answer: more will follow */
    STACK_SENDS = 1 << 15,        /* sends to a channel */
    STACK_SLEEPS = 1 << 16,       /* in time.Sleep */
    STACK_C = 1 << 17,            /* in C */
    STACK_FILE = 1 << 18,         /* reads a file, and not whatever a descriptor may be */
    STACK_SELECTS = 1 << 19,      /* waits for one of several channels */
    STACK_BODY = 1 << 20,         /* reads the body of a request or an answer */
    STACK_POLLS = 1 << 21,        /* waits for the network */
    STACK_UNLOCKS = 1 << 22,      /* gives a mutex back */
    STACK_COPIES = 1 << 23,       /* in io.Copy */
    STACK_CONDITION = 1 << 24,    /* waits for a sync.Cond */
    STACK_SOCKET = 1 << 25,       /* in a call on a socket, which never blocks */
    STACK_OS = 1 << 26,           /* in a function of package os: a file, mostly */
    STACK_CHILD = 1 << 27,        /* waits for a child process to end */
    STACK_COLLECTS = 1 << 28,     /* collects garbage at the program's wish, and yields meanwhile */
};

/* A stack, read function by function. */
struct stack_reading {
    enum stack_class class;
    uint32_t traits;
    bool any;
    bool beyond_runtime; /* it has a function that is not the runtime's */
    bool in_program;     /* the last function that is of no server is not of Go either */
};

/* What a stack tells. */
struct stack_kind {
    enum stack_class class;
    uint32_t traits; /* enum stack_trait */
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

/* The nth function of the table, from 0, and what it tells; NULL beyond the last. */
const char *stack_class_known(size_t n, struct stack_kind *ret);

/* What waits in a function of STACK_POOL or STACK_LIMIT, in words, such as "a connection of the
 * pool database/sql"; NULL if it is not known. */
const char *stack_word(const char *func);

/* Whether the function is of a package that the tables here and in libraries.h name, or of the Go
 * project's own modules. */
bool stack_of_known_package(const char *func, size_t len);

/* The part of a function's name, in whatever package, by which it is known to wait: from the last dot
 * on, or a part of a C function's name. NULL: it is not. Borrowed from `func`. */
const char *stack_telling(const char *func, size_t len);

/* The part by which a C function's name tells that it waits, as a text of its own; "": it does not. */
const char *stack_c_word(const char *name, size_t len);

/* What a function tells by its name, for stack_read; never 0. Finding it out costs far more than
 * using it, so it is worth keeping. */
uint32_t stack_function(const char *func, size_t len);

/* Bits of stack_function beside a class and traits, which are below them. */
#define STACK_OF_SERVER (1U << 6) /* of a server's library: libraries.h */
#define STACK_OF_RUNTIME (1U << 29)
#define STACK_OF_GO (1U << 30) /* of the standard library */
#define STACK_MET (1U << 31)

/* The part of stack_read for functions of a class or with traits, which few are. */
void stack_read_telling(struct stack_reading *r, uint32_t function);

/* Reads a stack's next function, from the innermost outwards. The reading begins zeroed. */
static inline void stack_read(struct stack_reading *r, uint32_t function)
{
    if (__builtin_expect((function & (STACK_OF_RUNTIME - 1) & ~STACK_OF_SERVER) != 0, 0))
        stack_read_telling(r, function);
    r->any = true;
    r->beyond_runtime |= !(function & STACK_OF_RUNTIME);
    if (!(function & STACK_OF_SERVER))
        r->in_program = !(function & STACK_OF_GO);
}

/* What the functions tell together. */
struct stack_kind stack_told(const struct stack_reading *r);
