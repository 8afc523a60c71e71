/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/context/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "daemon/context/kernelfile.h"

#define MOUNTS_SIZE 65536  /* bytes of a mountinfo that are looked at; cgroups are mounted early */
#define CGROUPS_SIZE 16384 /* bytes of /proc/PID/cgroup: a line for each hierarchy */
#define UNLIMITED (1LL << 62) /* version 1 says so by a number close to the largest */
#define NS_PER_USEC 1000

static const struct context_pressure no_pressure = {CONTEXT_ABSENT, CONTEXT_ABSENT};

static const struct cgroup_cpu no_cpu = {CONTEXT_ABSENT,
                                         CONTEXT_ABSENT,
                                         CONTEXT_ABSENT,
                                         CONTEXT_ABSENT,
                                         CONTEXT_ABSENT,
                                         CONTEXT_ABSENT,
                                         {CONTEXT_ABSENT, CONTEXT_ABSENT}};
static const struct cgroup_memory no_memory = {
    CONTEXT_ABSENT, CONTEXT_ABSENT, {CONTEXT_ABSENT, CONTEXT_ABSENT}};

static void find_parts(const char *cgroups, const char *mounts, struct cgroup *g)
{
    static const char *const controllers[CGROUP_PARTS] = {
        [CGROUP_CPU] = "cpu", [CGROUP_CPUACCT] = "cpuacct", [CGROUP_MEMORY] = "memory"};

    for (size_t i = 0; i < CGROUP_PARTS; i++)
        (void)cgrouppath_find(cgroups, mounts, controllers[i], &g->parts[i]);
}

/*
 * The kernel names cgroup and mounts as our own namespace sees them, whoever's mounts they are, so
 * they can be compared. Only a process of our own user lets us in. Root is let in everywhere: it
 * sees all cgroups by its own mounts, and a stranger's file systems could make it wait.
 */
static void find_through(int root, uint32_t pid, const char *cgroups, char *mounts,
                         struct cgroup *g)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "proc/%u/mountinfo", pid);
    if (geteuid() == 0 || kernelfile_read(root, path, mounts, MOUNTS_SIZE) <= 0)
        return;
    g->through = pid;
    find_parts(cgroups, mounts, g);
}

void cgroup_find(int root, uint32_t pid, struct cgroup *ret)
{
    char path[64];
    _cleanup_free_ char *mounts = malloc(MOUNTS_SIZE), *cgroups = malloc(CGROUPS_SIZE);

    *ret = (struct cgroup){.through = 0};
    (void)snprintf(path, sizeof(path), "proc/%u/cgroup", pid);
    if (!mounts || !cgroups || kernelfile_read(root, path, cgroups, CGROUPS_SIZE) <= 0)
        return;
    (void)kernelfile_read(root, "proc/self/mountinfo", mounts, MOUNTS_SIZE);
    find_parts(cgroups, mounts, ret);
    if (ret->parts[CGROUP_CPU].version == 0 && ret->parts[CGROUP_MEMORY].version == 0)
        find_through(root, pid, cgroups, mounts, ret);
}

static int open_directory(int dir, const char *path)
{
    int fd = openat(dir, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

/* Symbolic links are the other process's, and lead nowhere. */
static int open_through(int root, uint32_t pid, const char *dir)
{
    const struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                                 .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS};
    _cleanup_close_ int theirs = -1;
    char path[64];
    long fd;

    (void)snprintf(path, sizeof(path), "proc/%u/root", pid);
    theirs = open_directory(root, path);
    if (theirs < 0)
        return theirs;
    fd = syscall(SYS_openat2, theirs, dir, &how, sizeof(how));
    return fd < 0 ? -errno : (int)fd;
}

/* Whether the kernel itself fills this directory. */
static bool is_cgroup(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 &&
           (fs.f_type == CGROUP2_SUPER_MAGIC || fs.f_type == CGROUP_SUPER_MAGIC);
}

/* A mount further down may show another cgroup in its place. Before Linux 5.8 the kernel does not
 * tell. */
static bool is_on(int fd, uint64_t mount)
{
    struct statx st;

    return statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0 || !(st.stx_mask & STATX_MNT_ID) ||
           st.stx_mnt_id == mount;
}

/* The directory of a part's own level. */
static int open_part(int root, const struct cgroup *g, enum cgroup_part part)
{
    const struct cgrouppath *p = &g->parts[part];
    int fd = -ENOENT;

    if (p->version > 0)
        fd = g->through ? open_through(root, g->through, p->dir) : open_directory(root, p->dir);
    if (fd < 0 || (is_cgroup(fd) && is_on(fd, p->mount)))
        return fd;
    (void)close(fd);
    return -EXDEV;
}

/* Goes to the level above; the descriptor is closed. */
static int climb(int fd)
{
    int up = open_directory(fd, "..");

    (void)close(fd);
    return up;
}

static void read_quota(int dir, int version, struct cgroup_cpu *c)
{
    char text[KERNELFILE_SIZE];
    const char *end = text;

    if (version == 1) {
        /* -1, which is no number here: unlimited. */
        c->quota = kernelfile_scaled(kernelfile_value(dir, "cpu.cfs_quota_us"), NS_PER_USEC);
        c->period = kernelfile_scaled(kernelfile_value(dir, "cpu.cfs_period_us"), NS_PER_USEC);
        return;
    }
    (void)kernelfile_read(dir, "cpu.max", text, sizeof(text));
    if (strncmp(text, "max", 3) == 0)
        end = text + 3;
    else
        c->quota = kernelfile_scaled(kernelfile_number(text, &end), NS_PER_USEC);
    c->period = kernelfile_scaled(kernelfile_number(end, NULL), NS_PER_USEC);
}

static void read_cpu_stat(int dir, int version, struct cgroup_cpu *c)
{
    char text[KERNELFILE_SIZE];

    (void)kernelfile_read(dir, "cpu.stat", text, sizeof(text));
    c->periods = kernelfile_key(text, "nr_periods");
    c->throttled_periods = kernelfile_key(text, "nr_throttled");
    if (version == 1) {
        c->throttled = kernelfile_key(text, "throttled_time");
        return;
    }
    c->throttled = kernelfile_scaled(kernelfile_key(text, "throttled_usec"), NS_PER_USEC);
    c->usage = kernelfile_scaled(kernelfile_key(text, "usage_usec"), NS_PER_USEC);
    c->pressure = kernelfile_pressure(dir, "cpu.pressure");
}

/* A level without a quota is never throttled: of those only the process's own is read. */
static void read_cpu(int dir, int version, bool own, struct cgroup_cpu *ret)
{
    read_quota(dir, version, ret);
    if (own || ret->quota >= 0)
        read_cpu_stat(dir, version, ret);
}

static void read_memory(int dir, int version, bool own, struct cgroup_memory *ret)
{
    /* "max", which is no number: unlimited. */
    ret->max = kernelfile_value(dir, version == 1 ? "memory.limit_in_bytes" : "memory.max");
    if (ret->max >= UNLIMITED)
        ret->max = CONTEXT_ABSENT;
    if (!own && ret->max < 0)
        return;
    ret->current = kernelfile_value(dir, version == 1 ? "memory.usage_in_bytes" : "memory.current");
    if (version == 2)
        ret->pressure = kernelfile_pressure(dir, "memory.pressure");
}

/* The time is told by another hierarchy, in which the levels are the same ones. */
static void read_usage(int root, const struct cgroup *g, struct cgroup_cpu *levels)
{
    const struct cgrouppath *cpu = &g->parts[CGROUP_CPU], *acct = &g->parts[CGROUP_CPUACCT];
    int fd = acct->version == 1 && strcmp(cpu->name, acct->name) == 0
               ? open_part(root, g, CGROUP_CPUACCT)
               : -ENOENT;

    for (size_t i = 0; i < acct->levels && fd >= 0; i++) {
        if (i == 0 || levels[i].quota >= 0)
            levels[i].usage = kernelfile_value(fd, "cpuacct.usage");
        fd = climb(fd);
    }
    (void)close_fd(fd);
}

void cgroup_read(int root, const struct cgroup *g, struct cgroup_reading *ret)
{
    const struct cgrouppath *cpu = &g->parts[CGROUP_CPU], *memory = &g->parts[CGROUP_MEMORY];
    int fd = open_part(root, g, CGROUP_CPU);

    ret->io = no_pressure;
    for (size_t i = 0; i < CGROUPPATH_LEVELS; i++) {
        ret->cpu[i] = no_cpu;
        ret->memory[i] = no_memory;
    }
    if (fd >= 0 && cpu->version == 2)
        ret->io = kernelfile_pressure(fd, "io.pressure");
    for (size_t i = 0; i < cpu->levels && fd >= 0; i++) {
        read_cpu(fd, cpu->version, i == 0, &ret->cpu[i]);
        fd = climb(fd);
    }
    (void)close_fd(fd);
    read_usage(root, g, ret->cpu);
    fd = open_part(root, g, CGROUP_MEMORY);
    for (size_t i = 0; i < memory->levels && fd >= 0; i++) {
        read_memory(fd, memory->version, i == 0, &ret->memory[i]);
        fd = climb(fd);
    }
    (void)close_fd(fd);
}

/* The share of a CPU that the quota allows; many where there is none. */
static double allowed(const struct cgroup_cpu *c)
{
    return c->quota >= 0 && c->period > 0 ? (double)c->quota / (double)c->period : 1e9;
}

static unsigned tightest_cpu(const struct cgroup_reading *before,
                             const struct cgroup_reading *after)
{
    unsigned best = 0;
    int64_t most = CONTEXT_ABSENT;

    for (unsigned i = 0; i < CGROUPPATH_LEVELS; i++) {
        const struct cgroup_cpu *c = &after->cpu[i];
        int64_t n = before
                      ? kernelfile_grown(before->cpu[i].throttled_periods, c->throttled_periods)
                      : CONTEXT_ABSENT;

        if (n > most || (n == most && allowed(c) < allowed(&after->cpu[best]))) {
            best = i;
            most = n;
        }
    }
    return best;
}

static unsigned tightest_memory(const struct cgroup_reading *after)
{
    unsigned best = 0;

    for (unsigned i = 1; i < CGROUPPATH_LEVELS; i++) {
        int64_t max = after->memory[i].max;

        if (max >= 0 && (after->memory[best].max < 0 || max < after->memory[best].max))
            best = i;
    }
    return best;
}

static void tell_cpu(const struct cgroup *g, const struct cgroup_reading *before,
                     const struct cgroup_reading *after, struct context *ret)
{
    unsigned up = tightest_cpu(before, after);
    const struct cgroup_cpu *b = before ? &before->cpu[up] : &no_cpu, *a = &after->cpu[up];

    if (a->period < 0 && a->periods < 0 && a->usage < 0)
        return; /* its files cannot be read */
    ret->cgroup_version = g->parts[CGROUP_CPU].version;
    ret->levels_up = up;
    (void)cgrouppath_level(&g->parts[CGROUP_CPU], up, ret->level);
    ret->quota = a->quota;
    ret->period = a->period;
    ret->periods = kernelfile_grown(b->periods, a->periods);
    ret->throttled_periods = kernelfile_grown(b->throttled_periods, a->throttled_periods);
    ret->throttled = kernelfile_grown(b->throttled, a->throttled);
    ret->usage = kernelfile_grown(b->usage, a->usage);
    ret->cgroup_cpu = kernelfile_pressure_grown(&b->pressure, &a->pressure);
    ret->cgroup_io = before ? kernelfile_pressure_grown(&before->io, &after->io) : no_pressure;
}

static void tell_memory(const struct cgroup *g, const struct cgroup_reading *before,
                        const struct cgroup_reading *after, struct context *ret)
{
    unsigned up = tightest_memory(after);
    const struct cgroup_memory *b = before ? &before->memory[up] : &no_memory;
    const struct cgroup_memory *a = &after->memory[up];

    if (a->current < 0)
        return;
    if (ret->cgroup_version < 0)
        ret->cgroup_version = g->parts[CGROUP_MEMORY].version;
    ret->memory_levels_up = up;
    (void)cgrouppath_level(&g->parts[CGROUP_MEMORY], up, ret->memory_level);
    ret->memory_current = a->current;
    ret->memory_max = a->max;
    ret->cgroup_memory = kernelfile_pressure_grown(&b->pressure, &a->pressure);
}

void cgroup_tell(const struct cgroup *g, const struct cgroup_reading *before,
                 const struct cgroup_reading *after, struct context *ret)
{
    tell_cpu(g, before, after, ret);
    tell_memory(g, before, after, ret);
}
