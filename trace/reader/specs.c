/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/reader/specs.h"

#include "trace/gotrace.h"

#define GO(from, to) GOTRACE_GO_STATE, GOTRACE_GO_##from, GOTRACE_GO_##to
#define PROC(from, to) GOTRACE_PROC_STATE, GOTRACE_PROC_##from, GOTRACE_PROC_##to
#define IS(kind) GOTRACE_##kind, 0, 0

/* An event of a thread's batch: type, name, number of arguments, meaning. */
#define TIMED(type, name, n, ...) \
    [GOTRACE_EV_##type] = {name, {GOTRACE_EV_##type, __VA_ARGS__}, n, n + 1}

/* If a state depends on the event's content, the function that orders it sets it. */
const struct spec specs[256] = {
    [EV_EVENT_BATCH] = {"EventBatch", {0}, 4, 0},
    [EV_STACKS] = {"Stacks", {0}, 0, 0},
    [EV_STACK] = {"Stack", {0}, 2, 0},
    [EV_STRINGS] = {"Strings", {0}, 0, 0},
    [EV_STRING] = {"String", {0}, 1, 0},
    [EV_CPU_SAMPLES] = {"CPUSamples", {0}, 0, 0},
    [EV_CPU_SAMPLE] = {"CPUSample", {EV_CPU_SAMPLE, IS(STACK_SAMPLE)}, 4, 0},
    [EV_FREQUENCY] = {"Frequency", {0}, 1, 0},
    TIMED(PROCS_CHANGE, "ProcsChange", 2, IS(METRIC)),
    TIMED(PROC_START, "ProcStart", 2, PROC(IDLE, RUNNING)),
    TIMED(PROC_STOP, "ProcStop", 0, PROC(RUNNING, IDLE)),
    TIMED(PROC_STEAL, "ProcSteal", 3, PROC(RUNNING, IDLE)),
    TIMED(PROC_STATUS, "ProcStatus", 2, PROC(UNDETERMINED, UNDETERMINED)),
    TIMED(GO_CREATE, "GoCreate", 3, GO(NOT_EXIST, RUNNABLE)),
    TIMED(GO_CREATE_SYSCALL, "GoCreateSyscall", 1, GO(NOT_EXIST, SYSCALL)),
    TIMED(GO_START, "GoStart", 2, GO(RUNNABLE, RUNNING)),
    TIMED(GO_DESTROY, "GoDestroy", 0, GO(RUNNING, NOT_EXIST)),
    TIMED(GO_DESTROY_SYSCALL, "GoDestroySyscall", 0, GO(SYSCALL, NOT_EXIST)),
    TIMED(GO_STOP, "GoStop", 2, GO(RUNNING, RUNNABLE)),
    TIMED(GO_BLOCK, "GoBlock", 2, GO(RUNNING, WAITING)),
    TIMED(GO_UNBLOCK, "GoUnblock", 3, GO(WAITING, RUNNABLE)),
    TIMED(GO_SYSCALL_BEGIN, "GoSyscallBegin", 2, GO(RUNNING, SYSCALL)),
    TIMED(GO_SYSCALL_END, "GoSyscallEnd", 0, GO(SYSCALL, RUNNING)),
    TIMED(GO_SYSCALL_END_BLOCKED, "GoSyscallEndBlocked", 0, GO(SYSCALL, RUNNABLE)),
    TIMED(GO_STATUS, "GoStatus", 3, GO(UNDETERMINED, UNDETERMINED)),
    TIMED(STW_BEGIN, "STWBegin", 2, IS(RANGE_BEGIN)),
    TIMED(STW_END, "STWEnd", 0, IS(RANGE_END)),
    TIMED(GC_ACTIVE, "GCActive", 1, IS(RANGE_ACTIVE)),
    TIMED(GC_BEGIN, "GCBegin", 2, IS(RANGE_BEGIN)),
    TIMED(GC_END, "GCEnd", 1, IS(RANGE_END)),
    TIMED(GC_SWEEP_ACTIVE, "GCSweepActive", 1, IS(RANGE_ACTIVE)),
    TIMED(GC_SWEEP_BEGIN, "GCSweepBegin", 1, IS(RANGE_BEGIN)),
    TIMED(GC_SWEEP_END, "GCSweepEnd", 2, IS(RANGE_END)),
    TIMED(GC_MARK_ASSIST_ACTIVE, "GCMarkAssistActive", 1, IS(RANGE_ACTIVE)),
    TIMED(GC_MARK_ASSIST_BEGIN, "GCMarkAssistBegin", 1, IS(RANGE_BEGIN)),
    TIMED(GC_MARK_ASSIST_END, "GCMarkAssistEnd", 0, IS(RANGE_END)),
    TIMED(HEAP_ALLOC, "HeapAlloc", 1, IS(METRIC)),
    TIMED(HEAP_GOAL, "HeapGoal", 1, IS(METRIC)),
    TIMED(GO_LABEL, "GoLabel", 1, IS(LABEL)),
    TIMED(USER_TASK_BEGIN, "UserTaskBegin", 4, IS(TASK_BEGIN)),
    TIMED(USER_TASK_END, "UserTaskEnd", 2, IS(TASK_END)),
    TIMED(USER_REGION_BEGIN, "UserRegionBegin", 3, IS(REGION_BEGIN)),
    TIMED(USER_REGION_END, "UserRegionEnd", 3, IS(REGION_END)),
    TIMED(USER_LOG, "UserLog", 4, IS(LOG)),
    TIMED(GO_SWITCH, "GoSwitch", 2, GO(WAITING, RUNNABLE)),
    TIMED(GO_SWITCH_DESTROY, "GoSwitchDestroy", 2, GO(WAITING, RUNNABLE)),
    TIMED(GO_CREATE_BLOCKED, "GoCreateBlocked", 3, GO(NOT_EXIST, WAITING)),
    TIMED(GO_STATUS_STACK, "GoStatusStack", 4, GO(UNDETERMINED, UNDETERMINED)),
    [EV_EXPERIMENTAL_BATCH] = {"ExperimentalBatch", {0}, 4, 0},
    [EV_SYNC] = {"Sync", {0}, 0, 0},
    [EV_CLOCK_SNAPSHOT] = {"ClockSnapshot", {0}, 3, 4},
    [EV_END_OF_GENERATION] = {"EndOfGeneration", {0}, 0, 0},
    TIMED(SPAN, "Span", 3, IS(EXPERIMENTAL)),
    TIMED(SPAN_ALLOC, "SpanAlloc", 3, IS(EXPERIMENTAL)),
    TIMED(SPAN_FREE, "SpanFree", 1, IS(EXPERIMENTAL)),
    TIMED(HEAP_OBJECT, "HeapObject", 2, IS(EXPERIMENTAL)),
    TIMED(HEAP_OBJECT_ALLOC, "HeapObjectAlloc", 2, IS(EXPERIMENTAL)),
    TIMED(HEAP_OBJECT_FREE, "HeapObjectFree", 1, IS(EXPERIMENTAL)),
    TIMED(GOROUTINE_STACK, "GoroutineStack", 2, IS(EXPERIMENTAL)),
    TIMED(GOROUTINE_STACK_ALLOC, "GoroutineStackAlloc", 2, IS(EXPERIMENTAL)),
    TIMED(GOROUTINE_STACK_FREE, "GoroutineStackFree", 1, IS(EXPERIMENTAL)),
    [GOTRACE_EV_SYNC] = {"Sync", {GOTRACE_EV_SYNC, IS(SYNC)}, 0, 0},
};
