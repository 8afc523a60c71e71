/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * libgotrace: reads Go execution traces.
 *
 * It takes the partitioned format of Go 1.22 and later (the headers `go 1.22`, `1.23`, `1.25` and
 * `1.26 trace`) from a file, a pipe or a callback, one pass from front to back, and hands out the
 * events of all threads in the one order that Go's own reader (internal/trace) gives them: the same
 * events, times, goroutines, procs and threads. Also where threads have events of one time: that is
 * the order of Go 1.24 and later, whose sorting differs from earlier ones' in rare cases. Where a
 * program ends its regions in another order than they began, Go's reader stops; this one goes on
 * (GOTRACE_REGION_END). Go 1.11–1.21 wrote another format: it is recognised and refused with a code
 * of its own.
 *
 * A trace consists of generations, each about a second long and complete in itself. The reader
 * holds one generation at a time, in at most the memory that the options allow; how long the trace
 * is makes no difference, and how large a generation is none where it lies in a file. Whatever the
 * bytes are, it ends with events, an error with its offset, or both.
 *
 *     struct gotrace *trace;
 *     const struct gotrace_event *event;
 *     int r = gotrace_open_fd(NULL, STDIN_FILENO, &trace);
 *
 *     while (r >= 0 && (r = gotrace_next(trace, &event)) > 0)
 *         if (event->type == GOTRACE_EV_GO_BLOCK)
 *             count(gotrace_string(trace, event->string, NULL));
 *     if (r < 0)
 *         report(gotrace_last_error(trace));
 *     gotrace_close(trace);
 *
 * A reader is used by one thread at a time; there is no state outside of it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GOTRACE_API __attribute__((visibility("default")))

/* No goroutine, proc, thread or task. */
#define GOTRACE_NONE (-1)

/* A number that is not known. */
#define GOTRACE_UNKNOWN UINT64_MAX

/* The events, with their numbers in the trace (internal/trace/tracev2/events.go). */
enum gotrace_type {
    GOTRACE_EV_CPU_SAMPLE = 7,
    GOTRACE_EV_PROCS_CHANGE = 9,
    GOTRACE_EV_PROC_START,
    GOTRACE_EV_PROC_STOP,
    GOTRACE_EV_PROC_STEAL,
    GOTRACE_EV_PROC_STATUS,
    GOTRACE_EV_GO_CREATE,
    GOTRACE_EV_GO_CREATE_SYSCALL,
    GOTRACE_EV_GO_START,
    GOTRACE_EV_GO_DESTROY,
    GOTRACE_EV_GO_DESTROY_SYSCALL,
    GOTRACE_EV_GO_STOP,
    GOTRACE_EV_GO_BLOCK,
    GOTRACE_EV_GO_UNBLOCK,
    GOTRACE_EV_GO_SYSCALL_BEGIN,
    GOTRACE_EV_GO_SYSCALL_END,
    GOTRACE_EV_GO_SYSCALL_END_BLOCKED,
    GOTRACE_EV_GO_STATUS,
    GOTRACE_EV_STW_BEGIN,
    GOTRACE_EV_STW_END,
    GOTRACE_EV_GC_ACTIVE,
    GOTRACE_EV_GC_BEGIN,
    GOTRACE_EV_GC_END,
    GOTRACE_EV_GC_SWEEP_ACTIVE,
    GOTRACE_EV_GC_SWEEP_BEGIN,
    GOTRACE_EV_GC_SWEEP_END,
    GOTRACE_EV_GC_MARK_ASSIST_ACTIVE,
    GOTRACE_EV_GC_MARK_ASSIST_BEGIN,
    GOTRACE_EV_GC_MARK_ASSIST_END,
    GOTRACE_EV_HEAP_ALLOC,
    GOTRACE_EV_HEAP_GOAL,
    GOTRACE_EV_GO_LABEL,
    GOTRACE_EV_USER_TASK_BEGIN,
    GOTRACE_EV_USER_TASK_END,
    GOTRACE_EV_USER_REGION_BEGIN,
    GOTRACE_EV_USER_REGION_END,
    GOTRACE_EV_USER_LOG,
    GOTRACE_EV_GO_SWITCH,
    GOTRACE_EV_GO_SWITCH_DESTROY,
    GOTRACE_EV_GO_CREATE_BLOCKED,
    GOTRACE_EV_GO_STATUS_STACK,
    GOTRACE_EV_SPAN = 128, /* of the experiment AllocFree, like those below */
    GOTRACE_EV_SPAN_ALLOC,
    GOTRACE_EV_SPAN_FREE,
    GOTRACE_EV_HEAP_OBJECT,
    GOTRACE_EV_HEAP_OBJECT_ALLOC,
    GOTRACE_EV_HEAP_OBJECT_FREE,
    GOTRACE_EV_GOROUTINE_STACK,
    GOTRACE_EV_GOROUTINE_STACK_ALLOC,
    GOTRACE_EV_GOROUTINE_STACK_FREE,
    GOTRACE_EV_SYNC = 255, /* made by the reader: a generation starts, or the trace ends */
};

/* The kind of an event, which says what its fields besides time, g, p and m mean. */
enum gotrace_kind {
    GOTRACE_BAD = 0,
    GOTRACE_SYNC,         /* args[0]: counts 1, 2, …; args[1]: the generation that starts, or 0 */
    GOTRACE_METRIC,       /* args[0]: procs, or bytes of heap */
    GOTRACE_LABEL,        /* string: the label that g has from now on */
    GOTRACE_RANGE_BEGIN,  /* of g, of p (sweep) or of the program (GC); string: why (STW) */
    GOTRACE_RANGE_ACTIVE, /* began before the generation; args[0]: whose (sweep P, assist G) */
    GOTRACE_RANGE_END,    /* string as at the begin; sweep: args = bytes swept, bytes reclaimed */
    GOTRACE_TASK_BEGIN,   /* args: task, parent or GOTRACE_NONE; string: its type */
    /*
     * The same; `third`: how long it lasted. The parent is NONE, the type 0 and the time UNKNOWN if
     * its begin is.
     */
    GOTRACE_TASK_END,
    GOTRACE_REGION_BEGIN, /* args[0]: task (0: of none); string: the region's type */
    /*
     * The same; `third`: how long it lasted, UNKNOWN if it began before the trace. args[1]: how
     * many regions of the goroutine began after it and still last. More than 0 are the program's
     * mistake, and so is UNKNOWN: the goroutine has regions, but not this one.
     */
    GOTRACE_REGION_END,
    GOTRACE_LOG,        /* args[0]: task; string: category; message */
    GOTRACE_PROC_STATE, /* args[0]: the proc that goes from `from` to `to`; steal: args[1]: M */
    GOTRACE_GO_STATE,   /* args[0]: the goroutine; string: why (stop, block); status: args[1]: M */
    GOTRACE_STACK_SAMPLE, /* a CPU profile's sample of g on p and m */
    GOTRACE_EXPERIMENTAL, /* args as in the trace; `third`: the third argument, of spans */
};

enum gotrace_go_state {
    GOTRACE_GO_UNDETERMINED = 0, /* before its first event in the trace */
    GOTRACE_GO_NOT_EXIST,
    GOTRACE_GO_RUNNABLE,
    GOTRACE_GO_RUNNING,
    GOTRACE_GO_WAITING,
    GOTRACE_GO_SYSCALL,
};

enum gotrace_proc_state {
    GOTRACE_PROC_UNDETERMINED = 0,
    GOTRACE_PROC_NOT_EXIST,
    GOTRACE_PROC_RUNNING,
    GOTRACE_PROC_IDLE,
};

/*
 * An event. g, p and m say in which context it happened, before any change that it makes: at
 * GO_START g is GOTRACE_NONE and args[0] the goroutine that starts.
 *
 * Strings and stacks are handles that hold until the next SYNC event: 1 to their number in this
 * generation (struct gotrace_generation), 0 for none. Equal handles are the same stack; an array of
 * that many elements is enough to sum things up by stack or by reason.
 */
struct gotrace_event {
    int64_t time; /* nanoseconds since an unknown moment; strictly increasing */
    int64_t g;
    int64_t m; /* the thread: an operating system's number */
    int32_t p;
    uint8_t type; /* enum gotrace_type */
    uint8_t kind; /* enum gotrace_kind */
    uint8_t from; /* enum gotrace_go_state or gotrace_proc_state, by kind */
    uint8_t to;
    uint64_t args[2];
    uint32_t stack; /* where it happened */
    uint32_t string;
    union {
        struct {
            uint32_t message;   /* of a LOG */
            uint32_t new_stack; /* of a GO_CREATE: where the new goroutine starts */
        };
        uint64_t third; /* of what says so above */
    };
};

/* One frame of a stack. Func and file are string handles. */
struct gotrace_frame {
    uint64_t pc;
    uint64_t func;
    uint64_t file;
    uint64_t line;
};

/* The generation that the events since the last SYNC belong to. */
struct gotrace_generation {
    uint64_t number; /* as the trace counts */
    uint64_t offset; /* offset of its first batch in the trace */
    uint64_t bytes;
    uint32_t n_strings; /* handles are 1 to this; task types may add to it until the next SYNC */
    uint32_t n_stacks;
    uint32_t n_frames; /* distinct frames of all stacks, numbered from 0 */
    uint32_t n_threads;
    uint64_t n_experimental_batches; /* left unread */
    bool has_clock;                  /* from Go 1.25 on: */
    int64_t clock_trace;             /* the time of the snapshot, as the events' */
    uint64_t clock_mono;             /* CLOCK_MONOTONIC then, nanoseconds */
    int64_t clock_sec;               /* wall clock then: seconds since 1970, */
    int64_t clock_nsec;              /* and nanoseconds */
};

struct gotrace_options {
    /* Of the bytes that one generation has in the trace. 0: 48 MiB, or no bound if they need not be
     * in memory (a mapped file, or after gotrace_spill). */
    size_t max_generation_bytes;
    size_t max_memory; /* bytes of all memory that the reader allocates; 0: 192 MiB */
};

struct gotrace_error {
    int code;            /* the negative errno that was returned, or 0 */
    uint64_t offset;     /* in the trace */
    uint64_t generation; /* the number in the trace; 0: none yet */
    int64_t thread;      /* GOTRACE_NONE: not in the events of one thread */
    const char *text;    /* the error in one line, without the values above */
};

struct gotrace;

/* As read(2): up to n bytes into data, 0 at the end, a negative errno on failure. */
typedef ssize_t (*gotrace_read_fn)(void *userdata, void *data, size_t n);

/*
 * Makes a reader; nothing is read yet. options may be NULL. -ENOMEM. The file descriptor stays the
 * caller's and needs no seeking; interrupted reads are repeated.
 */
GOTRACE_API int gotrace_open(const struct gotrace_options *options, gotrace_read_fn read,
                             void *userdata, struct gotrace **ret);
GOTRACE_API int gotrace_open_fd(const struct gotrace_options *options, int fd,
                                struct gotrace **ret);

/*
 * The same without copying: if the descriptor is a file's, the part from its position on is mapped
 * into memory, a generation at a time, and the position stays; if not, it is read as above. The
 * descriptor must stay open. For files that nobody changes meanwhile: one that is cut raises
 * SIGBUS, as does one whose disk cannot be read, and the program must be ready for that.
 */
GOTRACE_API int gotrace_open_mapped(const struct gotrace_options *options, int fd,
                                    struct gotrace **ret);

/*
 * A reader that cannot map its file keeps the batches of a generation that is larger than 24 MiB in
 * a file: open gives a descriptor for reading and writing, such as of a file without a name, which
 * becomes the reader's, or a negative errno. It is called when first needed. To be told before
 * anything is read.
 */
typedef int (*gotrace_spill_fn)(void *userdata);
GOTRACE_API void gotrace_spill(struct gotrace *trace, gotrace_spill_fn open, void *userdata);

/* Releases the reader and everything that it returned. NULL is fine. */
GOTRACE_API void gotrace_close(struct gotrace *trace);

/*
 * The next event, or the next n events of one generation. 1, 0 at the trace's end, or a negative
 * errno, which every later call returns again:
 *
 *   -ENOMSG           not a Go execution trace
 *   -EPROTONOSUPPORT  a trace of Go 1.11–1.21: not analysed, see docs/TRACES.md
 *   -ENOTSUP          a trace of a newer Go than this library knows: its number is too far off, or
 *                     it was tried, and contains what no known format has
 *   -ENODATA          the trace breaks off; what came before is right and was handed out
 *   -EBADMSG          the trace contradicts itself
 *   -E2BIG            a generation, or what must be remembered, passes the options' bounds
 *   -ENOMEM, and whatever reading gave
 *
 * The events are the reader's and hold until the next call. A trace begins and ends with a SYNC
 * event, and so does, as in Go's reader, one that breaks off, before the error is returned.
 */
GOTRACE_API int gotrace_next(struct gotrace *trace, const struct gotrace_event **ret);
GOTRACE_API int gotrace_next_batch(struct gotrace *trace, const struct gotrace_event **ret,
                                   size_t *ret_n);

/* The last error; its text is valid as long as the reader. */
GOTRACE_API struct gotrace_error gotrace_last_error(const struct gotrace *trace);

/*
 * 22 for `go 1.22 trace`, also of a refused format; 0 until the header is read. Beyond
 * GOTRACE_NEWEST: read by the rules of that format, as nothing in it contradicted them.
 */
#define GOTRACE_NEWEST 26
GOTRACE_API unsigned gotrace_version(const struct gotrace *trace);

/* Bytes of the trace that were read, beyond the present generation by up to 4 MiB. */
GOTRACE_API uint64_t gotrace_bytes_read(const struct gotrace *trace);

/* Bytes that the reader has allocated now, without mapped parts of a file. */
GOTRACE_API size_t gotrace_memory(const struct gotrace *trace);

/* -ENOENT before the first generation and after the last. */
GOTRACE_API int gotrace_generation(const struct gotrace *trace, struct gotrace_generation *ret);

/*
 * A handle's string, "" for 0 and for what is no handle. It is not terminated by a zero byte and
 * may contain any bytes; ret_len may be NULL only if the caller compares nothing but pointers.
 */
GOTRACE_API const char *gotrace_string(const struct gotrace *trace, uint64_t handle,
                                       size_t *ret_len);

/* A stack's frames as numbers for gotrace_frame, innermost first; NULL and 0 if it has none. */
GOTRACE_API const uint32_t *gotrace_stack(const struct gotrace *trace, uint32_t handle,
                                          size_t *ret_n);

/* NULL if there is no such frame. */
GOTRACE_API const struct gotrace_frame *gotrace_frame(const struct gotrace *trace, uint32_t n);

/* The names that Go's source gives: `GoStart`, `StateTransition`; "?" if there is none. */
GOTRACE_API const char *gotrace_type_name(unsigned type);

#ifdef __cplusplus
}
#endif
