/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/context/hoststat.h"

#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "daemon/context/kernelfile.h"

#define NS_PER_SEC 1000000000LL

/* The columns of /proc/stat's first line: proc_stat(5). */
enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, COLUMNS };

static void read_times(int root, struct hoststat *ret)
{
    static const unsigned busy[] = {USER, NICE, SYSTEM, IRQ, SOFTIRQ};
    char text[256]; /* more than the first line */
    int64_t columns[COLUMNS], sum = 0, unit = NS_PER_SEC / sysconf(_SC_CLK_TCK);
    const char *at = text + strlen("cpu");

    ret->busy = ret->steal = CONTEXT_ABSENT;
    if (kernelfile_read(root, "proc/stat", text, sizeof(text)) <= 0 ||
        strncmp(text, "cpu ", 4) != 0)
        return;
    for (size_t i = 0; i < COLUMNS; i++)
        columns[i] = kernelfile_number(at, &at);
    for (size_t i = 0; i < sizeof(busy) / sizeof(busy[0]); i++) {
        if (columns[busy[i]] < 0 || __builtin_add_overflow(sum, columns[busy[i]], &sum))
            return;
    }
    ret->busy = kernelfile_scaled(sum, unit);
    ret->steal = kernelfile_scaled(columns[STEAL], unit);
}

static double read_load(int root)
{
    char text[KERNELFILE_SIZE];
    double load;

    (void)kernelfile_read(root, "proc/loadavg", text, sizeof(text));
    text[strcspn(text, " ")] = '\0';
    return parse_decimal(text, &load) < 0 ? CONTEXT_ABSENT : load;
}

void hoststat_read(int root, struct hoststat *ret)
{
    char text[KERNELFILE_SIZE];

    (void)kernelfile_read(root, "sys/devices/system/cpu/online", text, sizeof(text));
    ret->cpus = kernelfile_list(text);
    ret->load = read_load(root);
    ret->cpu = kernelfile_pressure(root, "proc/pressure/cpu");
    ret->memory = kernelfile_pressure(root, "proc/pressure/memory");
    ret->io = kernelfile_pressure(root, "proc/pressure/io");
    ret->busy = ret->steal = CONTEXT_ABSENT;
    if (ret->cpus > 0 && ret->cpus <= HOSTSTAT_CPUS)
        read_times(root, ret);
}

void hoststat_tell(const struct hoststat *before, const struct hoststat *after, struct context *ret)
{
    ret->cpus = after->cpus;
    ret->load = after->load;
    if (!before)
        return;
    ret->busy = kernelfile_grown(before->busy, after->busy);
    ret->steal = kernelfile_grown(before->steal, after->steal);
    ret->host_cpu = kernelfile_pressure_grown(&before->cpu, &after->cpu);
    ret->host_memory = kernelfile_pressure_grown(&before->memory, &after->memory);
    ret->host_io = kernelfile_pressure_grown(&before->io, &after->io);
}
