/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Lines of the runtime, sorted by the processes that printed them. Whose a line is tells first the
 * source that the log names; where it names none, or several processes share one, the times tell:
 * those of a process never go back, and its snapshots come at even intervals.
 */

#include "trace/schedtrace/process.h"

/* Of more processes those are forgotten that have been silent for longest. */
#define PROCESSES_MAX 32
/* All snapshots of all processes; beyond that the oldest of the process with most give way. */
#define PROCESSES_MEMORY_MAX ((size_t)32 << 20)

struct processes;

/* Called when a snapshot is whole; it is the last one of the process. */
typedef void (*processes_fn)(void *userdata, const struct process *p, const struct snapshot *s);

/* 0 or -ENOMEM. on_snapshot may be NULL. */
int processes_new(processes_fn on_snapshot, void *userdata, struct processes **ret);
void processes_free(struct processes *ps);

/* A line that schedline_read found in a message. 0 or -ENOMEM. */
int processes_add(struct processes *ps, const struct schedline *line, const char *text,
                  const char *source, uint64_t number);

/* Nothing more comes for now: snapshots whose details may go on are whole. */
void processes_settle(struct processes *ps);

size_t processes_count(const struct processes *ps);
const struct process *processes_get(const struct processes *ps, size_t i);

/* Processes that were forgotten; lines of details that belong to no snapshot. */
uint64_t processes_forgotten(const struct processes *ps);
uint64_t processes_stray(const struct processes *ps);
