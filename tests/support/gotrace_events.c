/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Prints the events that libgotrace reads from an execution trace:
 *
 *   gotrace_events [-c] [FILE]
 *
 * There is one line for each event, in the form in which tests/support/traceevents prints the events
 * of Go's reader, and a last line `end` or `error …`. -c: only counts the events, and prints how fast
 * that was and how much memory it took. Without FILE the trace is read from standard input. Exits 0
 * at the trace's end, 1 after an error, 2 on misuse.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "trace/gotrace.h"

static const char *const kinds[] = {
    [GOTRACE_SYNC] = "Sync",
    [GOTRACE_METRIC] = "Metric",
    [GOTRACE_LABEL] = "Label",
    [GOTRACE_RANGE_BEGIN] = "RangeBegin",
    [GOTRACE_RANGE_ACTIVE] = "RangeActive",
    [GOTRACE_RANGE_END] = "RangeEnd",
    [GOTRACE_TASK_BEGIN] = "TaskBegin",
    [GOTRACE_TASK_END] = "TaskEnd",
    [GOTRACE_REGION_BEGIN] = "RegionBegin",
    [GOTRACE_REGION_END] = "RegionEnd",
    [GOTRACE_LOG] = "Log",
    [GOTRACE_PROC_STATE] = "StateTransition",
    [GOTRACE_GO_STATE] = "StateTransition",
    [GOTRACE_STACK_SAMPLE] = "StackSample",
    [GOTRACE_EXPERIMENTAL] = "Experimental",
};

static const char *const go_states[] = {"Undetermined", "NotExist", "Runnable",
                                        "Running",      "Waiting",  "Syscall"};
static const char *const proc_states[] = {"Undetermined", "NotExist", "Running", "Idle"};

/* Printable ASCII as it is, every other byte as \xNN. */
static void print_quoted(const char *prefix, const char *text, size_t len, const char *suffix)
{
    printf(" \"%s", prefix);
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = (uint8_t)text[i];

        if (byte < ' ' || byte > '~' || byte == '"' || byte == '\\')
            printf("\\x%02x", byte);
        else
            putchar(byte);
    }
    printf("%s\"", suffix);
}

static void print_string(const struct gotrace *t, uint32_t handle)
{
    size_t len;
    const char *text = gotrace_string(t, handle, &len);

    print_quoted("", text, len, "");
}

static uint64_t hash(uint64_t h, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ (uint8_t)text[i]) * 0x100000001b3U;
    return h;
}

static uint64_t hash_frame(const struct gotrace *t, uint64_t h, const struct gotrace_frame *f)
{
    char number[32];
    size_t len;
    const char *text;

    h = hash(h, number, (size_t)snprintf(number, sizeof(number), "%" PRIx64 " ", f->pc));
    text = gotrace_string(t, f->func, &len);
    h = hash(hash(h, text, len), " ", 1);
    text = gotrace_string(t, f->file, &len);
    h = hash(h, text, len);
    return hash(h, number, (size_t)snprintf(number, sizeof(number), " %" PRIu64 "\n", f->line));
}

static void print_stack(const struct gotrace *t, uint32_t handle)
{
    uint64_t h = 0xcbf29ce484222325U;
    const uint32_t *row;
    size_t n;

    row = gotrace_stack(t, handle, &n);
    if (n == 0) {
        printf(" -");
        return;
    }
    for (size_t i = 0; i < n; i++)
        h = hash_frame(t, h, gotrace_frame(t, row[i]));
    printf(" %016" PRIx64, h);
}

static void print_sync(const struct gotrace *t, const struct gotrace_event *e)
{
    struct gotrace_generation gen;

    printf(" %" PRIu64, e->args[0]);
    if (e->args[1] != 0 && gotrace_generation(t, &gen) == 0 && gen.has_clock)
        printf(" %" PRId64 " %" PRIu64 " %" PRId64, gen.clock_trace, gen.clock_mono,
               gen.clock_sec * 1000000000 + gen.clock_nsec);
}

static void print_metric(const struct gotrace_event *e)
{
    const char *name = e->type == GOTRACE_EV_PROCS_CHANGE ? "/sched/gomaxprocs:threads"
                     : e->type == GOTRACE_EV_HEAP_ALLOC   ? "/memory/classes/heap/objects:bytes"
                                                          : "/gc/heap/goal:bytes";

    printf(" %s %" PRIu64, name, e->args[0]);
}

static void print_range(const struct gotrace *t, const struct gotrace_event *e)
{
    bool active = e->kind == GOTRACE_RANGE_ACTIVE;
    size_t len;
    const char *text;

    switch (e->type) {
    case GOTRACE_EV_STW_BEGIN:
    case GOTRACE_EV_STW_END:
        text = gotrace_string(t, e->string, &len);
        print_quoted("stop-the-world (", text, len, ")");
        printf(" Goroutine(%" PRId64 ")", e->g);
        break;
    case GOTRACE_EV_GC_BEGIN:
    case GOTRACE_EV_GC_ACTIVE:
    case GOTRACE_EV_GC_END: printf(" \"GC concurrent mark phase\" None"); break;
    case GOTRACE_EV_GC_SWEEP_BEGIN:
    case GOTRACE_EV_GC_SWEEP_ACTIVE:
    case GOTRACE_EV_GC_SWEEP_END:
        printf(" \"GC incremental sweep\" Proc(%" PRId64 ")",
               active ? (int64_t)e->args[0] : (int64_t)e->p);
        if (e->type == GOTRACE_EV_GC_SWEEP_END)
            printf(" \"bytes swept\"=%" PRIu64 " \"bytes reclaimed\"=%" PRIu64, e->args[0],
                   e->args[1]);
        break;
    default:
        printf(" \"GC mark assist\" Goroutine(%" PRId64 ")", active ? (int64_t)e->args[0] : e->g);
    }
}

/* The stack of the goroutine that changes state: its own stack if it causes the change itself. */
static uint32_t transition_stack(const struct gotrace_event *e)
{
    switch (e->type) {
    case GOTRACE_EV_GO_CREATE:
    case GOTRACE_EV_GO_CREATE_BLOCKED: return e->new_stack;
    case GOTRACE_EV_GO_STOP:
    case GOTRACE_EV_GO_BLOCK:
    case GOTRACE_EV_GO_SYSCALL_BEGIN:
    case GOTRACE_EV_GO_STATUS_STACK: return e->stack;
    default: return 0;
    }
}

static void print_transition(const struct gotrace *t, const struct gotrace_event *e)
{
    bool go = e->kind == GOTRACE_GO_STATE;
    const char *const *names = go ? go_states : proc_states;

    printf(" %c%" PRId64 " %s->%s", go ? 'G' : 'P', (int64_t)e->args[0], names[e->from],
           names[e->to]);
    print_string(t, e->string);
    print_stack(t, transition_stack(e));
}

static void print_experimental(const struct gotrace_event *e)
{
    printf(" %s %" PRIu64, gotrace_type_name(e->type), e->args[0]);
    switch (e->type) {
    case GOTRACE_EV_SPAN:
    case GOTRACE_EV_SPAN_ALLOC: printf(" %" PRIu64 " %" PRIu64, e->args[1], e->third); break;
    case GOTRACE_EV_SPAN_FREE:
    case GOTRACE_EV_HEAP_OBJECT_FREE:
    case GOTRACE_EV_GOROUTINE_STACK_FREE: break;
    default: printf(" %" PRIu64, e->args[1]);
    }
}

static void print_event(const struct gotrace *t, const struct gotrace_event *e)
{
    printf("%" PRId64 " g=%" PRId64 " p=%" PRId32 " m=%" PRId64 " %s", e->time, e->g, e->p, e->m,
           kinds[e->kind]);
    switch (e->kind) {
    case GOTRACE_SYNC: print_sync(t, e); break;
    case GOTRACE_METRIC: print_metric(e); break;
    case GOTRACE_LABEL: print_string(t, e->string); break;
    case GOTRACE_RANGE_BEGIN:
    case GOTRACE_RANGE_ACTIVE:
    case GOTRACE_RANGE_END: print_range(t, e); break;
    case GOTRACE_TASK_BEGIN:
    case GOTRACE_TASK_END:
        printf(" %" PRId64 " %" PRId64, (int64_t)e->args[0], (int64_t)e->args[1]);
        print_string(t, e->string);
        break;
    case GOTRACE_REGION_BEGIN:
    case GOTRACE_REGION_END:
        printf(" %" PRId64, (int64_t)e->args[0]);
        print_string(t, e->string);
        break;
    case GOTRACE_LOG:
        printf(" %" PRId64, (int64_t)e->args[0]);
        print_string(t, e->string);
        print_string(t, e->message);
        break;
    case GOTRACE_PROC_STATE:
    case GOTRACE_GO_STATE: print_transition(t, e); break;
    case GOTRACE_EXPERIMENTAL: print_experimental(e); break;
    default: break;
    }
    print_stack(t, e->stack);
    putchar('\n');
}

static int print_all(struct gotrace *t)
{
    const struct gotrace_event *e;
    int r;

    while ((r = gotrace_next(t, &e)) > 0)
        print_event(t, e);
    return r;
}

static int count_all(struct gotrace *t)
{
    uint64_t n_events = 0, sum = 0;
    const struct gotrace_event *e;
    struct timespec begin, end;
    struct rusage usage;
    double seconds, cpu;
    size_t n;
    int r;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    while ((r = gotrace_next_batch(t, &e, &n)) > 0) {
        for (size_t i = 0; i < n; i++)
            sum += (uint64_t)e[i].type;
        n_events += n;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    seconds = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
    getrusage(RUSAGE_SELF, &usage);
    cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
          (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    printf("events=%" PRIu64 " sum=%" PRIu64 " seconds=%.4f cpu=%.4f MB/s=%.1f memory=%zu "
           "maxrss_kib=%ld\n",
           n_events, sum, seconds, cpu, (double)gotrace_bytes_read(t) / 1e6 / seconds,
           gotrace_memory(t), usage.ru_maxrss);
    return r;
}

int main(int argc, char **argv)
{
    bool only_count = argc > 1 && strcmp(argv[1], "-c") == 0;
    int at = 1 + only_count, fd = STDIN_FILENO, r;
    struct gotrace *t;

    if (argc > at + 1)
        return 2;
    if (argc > at)
        fd = open(argv[at], O_RDONLY | O_CLOEXEC);
    if (fd < 0 || gotrace_open_fd(NULL, fd, &t) < 0) {
        perror(argc > at ? argv[at] : "memory");
        return 2;
    }
    r = only_count ? count_all(t) : print_all(t);
    if (r < 0) {
        struct gotrace_error error = gotrace_last_error(t);

        printf("error %d %s (offset %" PRIu64 ", generation %" PRIu64 ", thread %" PRId64 ")\n",
               error.code, error.text, error.offset, error.generation, error.thread);
    } else if (!only_count) {
        puts("end");
    }
    gotrace_close(t);
    return r < 0;
}
