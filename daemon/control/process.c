/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"

#define TEXT_SIZE 1024

struct process {
    int statm; /* -1: not readable */
    DIR *fds;  /* or NULL */
    usec start;
};

static ssize_t read_text(int fd, char text[static TEXT_SIZE])
{
    ssize_t n = pread(fd, text, TEXT_SIZE - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    return n;
}

/*
 * The start time: field 22 of proc_pid_stat(5), in clock ticks since boot. Fields are counted from
 * after the process's name, as that may contain anything.
 */
static usec read_start(void)
{
    _cleanup_close_ int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    char text[TEXT_SIZE], *at;
    unsigned long long ticks;
    long per_second = sysconf(_SC_CLK_TCK);
    usec since_boot;

    if (fd < 0 || read_text(fd, text) <= 0 || per_second <= 0)
        return 0;
    at = strrchr(text, ')');
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (!at)
        return 0;
    ticks = strtoull(at + 1, NULL, 10);
    since_boot = ticks * USEC_PER_SEC / (usec)per_second;
    return clock_real() - clock_boot() + since_boot;
}

int process_new(struct process **ret)
{
    struct process *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    p->fds = opendir("/proc/self/fd");
    p->start = read_start();
    *ret = p;
    return 0;
}

void process_free(struct process *p)
{
    if (!p)
        return;
    if (p->statm >= 0)
        (void)close(p->statm);
    if (p->fds)
        (void)closedir(p->fds);
    free(p);
}

static double cpu_seconds(int who)
{
    struct rusage u;

    if (getrusage(who, &u) < 0)
        return 0;
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / (double)USEC_PER_SEC;
}

static uint64_t count_fds(DIR *fds)
{
    uint64_t n = 0;

    rewinddir(fds);
    for (const struct dirent *e; (e = readdir(fds));)
        n += e->d_name[0] != '.';
    return n;
}

void process_read(struct process *p, struct process_facts *ret)
{
    uint64_t pages = 0, resident = 0, page = (uint64_t)sysconf(_SC_PAGESIZE);
    char text[TEXT_SIZE];
    struct rlimit limit;

    if (p->statm >= 0 && read_text(p->statm, text) > 0)
        (void)sscanf(text, "%" SCNu64 " %" SCNu64, &pages, &resident);
    *ret = (struct process_facts){
        .cpu_seconds = cpu_seconds(RUSAGE_SELF),
        .children_cpu_seconds = cpu_seconds(RUSAGE_CHILDREN),
        .virtual_bytes = pages * page,
        .resident_bytes = resident * page,
        .open_fds = p->fds ? count_fds(p->fds) : 0,
        .start = p->start,
    };
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        ret->max_fds = limit.rlim_cur;
}
