/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/context/pidstat.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "daemon/context/kernelfile.h"

#define NS_PER_SEC 1000000000LL
#define KERNEL_THREAD 0x00200000 /* PF_KTHREAD of include/linux/sched.h */
#define FDS_MOST 512             /* are counted; each makes the kernel allocate */
#define TID_MAX 4194304

/* Fields of /proc/PID/stat, counted as in proc_pid_stat(5). */
enum {
    FIELD_PPID = 4,
    FIELD_FLAGS = 9,
    FIELD_MAJOR_FAULTS = 12,
    FIELD_UTIME = 14,
    FIELD_STIME = 15,
    FIELD_THREADS = 20,
    FIELD_START = 22,
    FIELD_RSS = 24,
    FIELDS = 25,
};

/* The command stands in parentheses, and may have any in it. */
static int parse_fields(const char *text, int64_t fields[static FIELDS])
{
    const char *at = strrchr(text, ')');

    if (!at || at[1] != ' ' || !at[2])
        return -EINVAL;
    if (strchr("ZX", at[2]))
        return -ESRCH; /* it has ended, and its parent does not know yet */
    at += 3;
    for (size_t i = FIELD_PPID; i < FIELDS; i++) {
        at += strspn(at, " ");
        fields[i] = kernelfile_number(at, NULL); /* some may be negative: absent */
        at += strcspn(at, " ");
    }
    return fields[FIELD_START] < 0 ? -EINVAL : 0;
}

/* Commands that listen for a service elsewhere, as /proc shows them: the first 15 bytes. */
static const char *const forwarders[] = {
    "docker-proxy", "kubectl", "pasta", "pasta.avx2", "rootlesskit",    "rootlessport",
    "slirp4netns",  "socat",   "ssh",   "sshd",       "systemd-socket-"};

static bool is_command(const char *text, const char *name)
{
    const char *begin = strchr(text, '('), *end = strrchr(text, ')');
    size_t n = strlen(name);

    return begin && end == begin + 1 + n && memcmp(begin + 1, name, n) == 0;
}

static bool forwards(const char *text)
{
    for (size_t i = 0; i < sizeof(forwarders) / sizeof(forwarders[0]); i++) {
        if (is_command(text, forwarders[i]))
            return true;
    }
    return false;
}

/* Whether this is a manager of units, or the init of a machine; not the service that is process 1
 * of a container. */
static bool is_init(uint32_t pid, const char *text)
{
    return is_command(text, "systemd") || (pid == 1 && is_command(text, "init"));
}

static int64_t ticks(int64_t n)
{
    return kernelfile_scaled(n, NS_PER_SEC / sysconf(_SC_CLK_TCK));
}

static int read_stat(int dir, uint32_t pid, struct pidstat *ret)
{
    char text[KERNELFILE_SIZE];
    int64_t fields[FIELDS] = {0};
    ssize_t n = kernelfile_read(dir, "stat", text, sizeof(text));
    int r = n < 0 ? (int)n : parse_fields(text, fields);

    if (r < 0)
        return r;
    ret->start = fields[FIELD_START];
    ret->threads = fields[FIELD_THREADS];
    ret->major_faults = fields[FIELD_MAJOR_FAULTS];
    ret->rss = kernelfile_scaled(fields[FIELD_RSS], sysconf(_SC_PAGESIZE));
    ret->cpu = CONTEXT_ABSENT;
    if (fields[FIELD_UTIME] >= 0 && fields[FIELD_STIME] >= 0)
        ret->cpu = ticks(fields[FIELD_UTIME] + fields[FIELD_STIME]);
    ret->forwards = forwards(text);
    ret->foreign = ret->forwards || is_init(pid, text) || pid == (uint32_t)getpid() ||
                   fields[FIELD_PPID] == getpid() ||
                   (fields[FIELD_FLAGS] >= 0 && fields[FIELD_FLAGS] & KERNEL_THREAD);
    return 0;
}

/* "Cpus_allowed_list:	0-3". */
static int64_t read_cpus(int dir)
{
    char text[KERNELFILE_SIZE];
    const char *line;

    (void)kernelfile_read(dir, "status", text, sizeof(text));
    line = strstr(text, "\nCpus_allowed_list:");
    return line ? kernelfile_list(strchr(line, ':') + 1) : CONTEXT_ABSENT;
}

static int64_t count_entries(int fd, int64_t most)
{
    DIR *list = fdopendir(fd);
    int64_t n = 0;

    if (!list) {
        (void)close(fd);
        return CONTEXT_ABSENT;
    }
    for (struct dirent *e; n <= most && (e = readdir(list));)
        n += e->d_name[0] != '.';
    (void)closedir(list);
    return n <= most ? n : CONTEXT_ABSENT;
}

/* From Linux 6.2 on the directory's size is the number. */
static int64_t read_fds(int dir)
{
    _cleanup_close_ int path = kernelfile_open(dir, "fd", O_PATH | O_DIRECTORY);
    struct stat st;
    int fd;

    if (path < 0)
        return CONTEXT_ABSENT;
    if (fstat(path, &st) == 0 && st.st_size > 0)
        return st.st_size;
    fd = kernelfile_open(dir, "fd", O_RDONLY | O_DIRECTORY);
    return fd < 0 ? CONTEXT_ABSENT : count_entries(fd, FDS_MOST);
}

static void read_thread(int tasks, const char *tid, bool switches, struct pidstat_thread *ret)
{
    char path[64], text[KERNELFILE_SIZE];
    const char *at = text;

    /* Nanoseconds on a CPU, nanoseconds of waiting for one, number of turns. */
    (void)snprintf(path, sizeof(path), "%.20s/schedstat", tid);
    (void)kernelfile_read(tasks, path, text, sizeof(text));
    (void)kernelfile_number(at, &at);
    ret->run_wait = kernelfile_number(at, NULL);
    ret->voluntary = ret->involuntary = CONTEXT_ABSENT;
    if (!switches)
        return;
    (void)snprintf(path, sizeof(path), "%.20s/status", tid);
    (void)kernelfile_read(tasks, path, text, sizeof(text));
    ret->voluntary = kernelfile_key(text, "voluntary_ctxt_switches:");
    ret->involuntary = kernelfile_key(text, "nonvoluntary_ctxt_switches:");
}

static void read_threads(int dir, struct pidstat *ret)
{
    int fd = ret->threads > 0 && ret->threads <= PIDSTAT_THREADS
               ? kernelfile_open(dir, "task", O_RDONLY | O_DIRECTORY)
               : -1;
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    bool switches = ret->threads <= PIDSTAT_SWITCHES;

    if (!list) {
        (void)close_fd(fd);
        return;
    }
    for (struct dirent *e; (e = readdir(list));) {
        uint64_t tid;

        if (parse_unsigned(e->d_name, TID_MAX, &tid) < 0)
            continue;
        if (ret->n == PIDSTAT_THREADS) { /* they became more just now */
            ret->n = 0;
            break;
        }
        ret->list[ret->n].tid = (uint32_t)tid;
        read_thread(fd, e->d_name, switches, &ret->list[ret->n++]);
    }
    (void)closedir(list);
}

int pidstat_read(int root, uint32_t pid, struct pidstat *ret)
{
    _cleanup_close_ int dir = -1;
    char path[64];
    int r;

    (void)snprintf(path, sizeof(path), "proc/%u", pid);
    dir = kernelfile_open(root, path, O_PATH | O_DIRECTORY);
    if (dir < 0)
        return dir;
    *ret = (struct pidstat){.n = 0};
    r = read_stat(dir, pid, ret);
    if (r < 0 || ret->foreign)
        return r;
    ret->cpus_allowed = read_cpus(dir);
    ret->open_fds = read_fds(dir);
    read_threads(dir, ret);
    return 0;
}

static const struct pidstat_thread *find_thread(const struct pidstat *p, uint32_t tid)
{
    for (size_t i = 0; i < p->n; i++) {
        if (p->list[i].tid == tid)
            return &p->list[i];
    }
    return NULL;
}

/* Once absent, a sum stays so. */
static void add(int64_t *sum, int64_t before, int64_t after)
{
    int64_t grown = kernelfile_grown(before, after);

    if (*sum < 0 || grown < 0 || __builtin_add_overflow(*sum, grown, sum))
        *sum = CONTEXT_ABSENT;
}

/* A thread that began meanwhile counts whole; of one that ended the end is not known, and Go's
 * threads rarely do. */
static void tell_threads(const struct pidstat *before, const struct pidstat *after,
                         struct context *ret)
{
    static const struct pidstat_thread new = {0, 0, 0, 0};

    if (before->n == 0 || after->n == 0)
        return;
    ret->run_wait = ret->voluntary_switches = ret->involuntary_switches = 0;
    for (size_t i = 0; i < after->n; i++) {
        const struct pidstat_thread *a = &after->list[i], *b = find_thread(before, a->tid);

        b = b ? b : &new;
        add(&ret->run_wait, b->run_wait, a->run_wait);
        add(&ret->voluntary_switches, b->voluntary, a->voluntary);
        add(&ret->involuntary_switches, b->involuntary, a->involuntary);
    }
}

void pidstat_tell(const struct pidstat *before, const struct pidstat *after, struct context *ret)
{
    ret->threads = after->threads;
    ret->rss = after->rss;
    ret->open_fds = after->open_fds;
    ret->cpus_allowed = after->cpus_allowed;
    if (!before || before->start != after->start)
        return; /* another process has the pid now */
    ret->cpu = kernelfile_grown(before->cpu, after->cpu);
    ret->major_faults = kernelfile_grown(before->major_faults, after->major_faults);
    tell_threads(before, after, ret);
}
