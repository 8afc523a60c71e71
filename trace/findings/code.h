/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * All labels: the codes of the rules, and what is said without a finding. Whoever counts, checks or
 * lists labels takes them from here. A row CODE(lock, "lock-contention") is the rule `rule_lock`,
 * defined in lock.c. Of two rules with the same score the one that stands first wins: so a cause
 * stands before its consequence.
 */

#include <stddef.h>

#define CODE_ROWS(CODE)                    \
    CODE(throttled, "cpu-throttled")       \
    CODE(stalled, "host-stalled")          \
    CODE(deadlock, "deadlock")             \
    CODE(slow, "slow-syscalls")            \
    CODE(lock, "lock-contention")          \
    CODE(leak, "goroutine-leak")           \
    CODE(gc, "gc-pressure")                \
    CODE(storm, "syscall-storm")           \
    CODE(timers, "timer-load")             \
    CODE(polling, "busy-polling")          \
    CODE(herd, "thundering-herd")          \
    CODE(imbalance, "scheduler-imbalance") \
    CODE(stuck, "stuck-proc")              \
    CODE(saturated, "cpu-saturated")       \
    CODE(blocked, "blocked-in-request")    \
    CODE(retry, "retry-storm")             \
    CODE(network, "network-bound")

#define CODE_NUMBER(name, text) CODE_##name,
enum code {
    CODE_ROWS(CODE_NUMBER) CODES_RULES, /* so many rules */
    CODE_healthy = CODES_RULES,
    CODE_idle,
    CODES_LABELS, /* so many labels */
};
#undef CODE_NUMBER

#define CODE_NOT_INSPECTED "not-inspected" /* stands where a trace has no label */

/* The text of a label: "lock-contention". */
const char *code_text(enum code code);

/* The i-th label, or NULL beyond the last. */
const char *code_label(size_t i);
