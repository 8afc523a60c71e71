/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/common/arguments.h"
#include "cli/common/command.h"
#include "cli/common/screen.h"
#include "cli/common/confined.h"
#include "cli/read/encode.h"
#include "cli/read/failure.h"
#include "cli/read/outfile.h"
#include "cli/read/tracefile.h"
#include "trace/profile/profile.h"

static const char intro[] =
    "Usage: contrace pprof --sched|--sync|--net|--syscall [OPTIONS] FILE\n"
    "Writes the profile that 'go tool trace -pprof=' gives of a Go execution trace, for\n"
    "'go tool pprof'; FILE may be '-'.\n";

#define NSEC_PER_USEC 1000u

struct pprof_arguments {
    bool kinds[PROFILE_SYSCALL + 1];
    const char *out, *task, *region;
    usec since, until;
    bool force, labels, sandbox;
};

#define FIELD(name) offsetof(struct pprof_arguments, name)
#define KIND(kind) (offsetof(struct pprof_arguments, kinds) + (kind) * sizeof(bool))

static const char *read_duration(void *field, const char *value)
{
    usec duration;

    if (parse_duration(value, &duration) < 0 || duration > INT64_MAX / NSEC_PER_USEC)
        return "a duration from the trace's beginning, such as 250ms or 1.5s";
    *(usec *)field = duration;
    return NULL;
}

static const struct argument rows[] = {
    {"sched", 0, NULL, "waiting for a P, runnable", argument_flag, KIND(PROFILE_SCHED)},
    {"sync", 0, NULL, "waiting on channels, select and locks", argument_flag, KIND(PROFILE_SYNC)},
    {"net", 0, NULL, "waiting on the network", argument_flag, KIND(PROFILE_NET)},
    {"syscall", 0, NULL, "in system calls", argument_flag, KIND(PROFILE_SYSCALL)},
    {"output", 'o', "OUT", "write it here; '-' is standard output", argument_text, FIELD(out)},
    {"force", 'f', NULL, "replace OUT if there is one", argument_flag, FIELD(force)},
    {"since", 0, "D", "from so long after the trace's beginning", read_duration, FIELD(since)},
    {"until", 0, "D", "up to so long after the trace's beginning", read_duration, FIELD(until)},
    {"task", 0, "TYPE", "only within regions of tasks of this type", argument_text, FIELD(task)},
    {"region", 0, "TYPE", "only within regions of this type", argument_text, FIELD(region)},
    {"labels", 0, NULL,
     "samples have the labels task, region and wait_reason, for pprof's -tagfocus and the like",
     argument_flag, FIELD(labels)},
    {"sandbox", 0, NULL, CONFINED_HELP, argument_flag, FIELD(sandbox)},
};

typedef int (*pass_fn)(struct profile *p, struct gotrace *t);

static bool is_broken(int code)
{
    return code == -ENODATA || code == -EBADMSG;
}

/* `r` is what the pass returned. */
static void complain_of(const char *path, const struct gotrace *t, int r)
{
    struct failure f = failure_of_trace(t, r);

    if (r == -E2BIG && !f.placed)
        (void)strcpy(f.text, "too many stacks or regions to remember");
    failure_complain(path, &f,
                     is_broken(r) ? "; the profile is of the generations before that" : "");
}

/*
 * Reads the trace once. 0; 1: another pass is needed; -ENODATA after a message: the trace is
 * broken; another negative errno after a message. `again`: no message about a broken trace, as
 * another pass follows that ends at the same place.
 */
static int run_pass(pass_fn pass, struct profile *p, const char *path, int fd, bool again)
{
    struct gotrace *t;
    int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : gotrace_open_mapped(NULL, fd, &t);

    if (r < 0) {
        complain("%s: %s", tracefile_called(path), strerror(-r));
        return r;
    }
    r = pass(p, t);
    if (r < 0 && !(is_broken(r) && again))
        complain_of(path, t, r);
    gotrace_close(t);
    return r < 0 && is_broken(r) ? -ENODATA : r;
}

static int read_trace(struct profile *p, const char *path, int fd)
{
    int r = 0;

    if (!profile_needs_scan(p))
        r = run_pass(profile_count, p, path, fd, false);
    else
        r = 1;
    if (r != 1)
        return r;
    r = run_pass(profile_scan, p, path, fd, true);
    return r < 0 && r != -ENODATA ? r : run_pass(profile_count, p, path, fd, false);
}

static int write_stdout(void *userdata, const void *data, size_t n)
{
    (void)userdata;
    errno = 0;
    return fwrite(data, 1, n, stdout) == n ? 0 : errno > 0 ? -errno : -EIO;
}

static int write_landing(void *userdata, const void *data, size_t n)
{
    return landing_write(userdata, data, n);
}

static int write_file(const struct sums *sums, const struct pprof_arguments *a)
{
    struct landing l;
    int r = outfile_begin(&l, a->out, a->force);

    if (r < 0)
        return outfile_complain(a->out, r);
    r = encode_sums(sums, write_landing, &l);
    if (r == 0)
        r = landing_finish(&l, a->force);
    landing_done(&l);
    return r < 0 ? outfile_complain(a->out, r) : 0;
}

static bool to_stdout(const struct pprof_arguments *a)
{
    return !a->out || strcmp(a->out, "-") == 0;
}

static int write_profile(const struct sums *sums, const struct pprof_arguments *a)
{
    int r;

    if (!to_stdout(a))
        return write_file(sums, a);
    r = encode_sums(sums, write_stdout, NULL);
    if (r == 0)
        return screen_finish();
    if (r != -EPIPE)
        complain("cannot write to standard output: %s", strerror(-r));
    return r;
}

/* In the sandbox no descriptor can be made. */
static int open_trace(const char *path, const struct pprof_arguments *a)
{
    return a->sandbox ? STDIN_FILENO : tracefile_open_again(path);
}

static int pprof(const char *path, const struct profile_options *o, const struct pprof_arguments *a)
{
    _cleanup_close_ int fd = open_trace(path, a);
    struct profile *p;
    int r, written;

    if (fd < 0) {
        complain("%s: %s", tracefile_called(path), strerror(-fd));
        return fd;
    }
    if (profile_new(o, &p) < 0)
        return complain_memory();
    r = read_trace(p, path, fd);
    written = r == 0 || r == -ENODATA ? write_profile(profile_sums(p), a) : 0;
    profile_free(p);
    return r < 0 ? r : written;
}

static int usage(const struct pprof_arguments *a, char *const *files, int n_files,
                 enum profile_kind *ret)
{
    unsigned kinds = 0;

    for (unsigned i = 0; i <= PROFILE_SYSCALL; i++) {
        if (a->kinds[i])
            *ret = (enum profile_kind)i;
        kinds += a->kinds[i];
    }
    if (kinds != 1)
        complain("pprof: one of --sched, --sync, --net and --syscall");
    else if (n_files != 1)
        complain("pprof: %s", n_files == 0 ? "which file?" : "one file at a time");
    else if (a->until > 0 && a->until <= a->since)
        complain("pprof: --until must be later than --since");
    else if (a->sandbox && (strcmp(files[0], "-") != 0 || !to_stdout(a)))
        complain("pprof: --sandbox reads standard input, '-', and writes to standard output");
    else if (to_stdout(a) && isatty(STDOUT_FILENO))
        complain("pprof: the profile is not for a terminal; --output=OUT puts it into a file");
    else
        return 0;
    return -EINVAL;
}

int command_pprof(int argc, char **argv)
{
    struct pprof_arguments a = {0};
    const struct argument_group groups[] = {GROUP(rows, &a)};
    struct profile_options o = {0};
    int rest, r = arguments_parse(argc, argv, groups, 1, intro, &rest);

    if (r != 0)
        return r < 0 ? STATUS_USAGE : STATUS_OK;
    if (usage(&a, argv + rest, argc - rest, &o.kind) < 0)
        return STATUS_USAGE;
    tracefile_may_go_away();
    r = a.sandbox ? confined_enter("pprof") : 0;
    if (r != 0)
        return r;
    o.since = a.since * NSEC_PER_USEC;
    o.until = a.until * NSEC_PER_USEC;
    o.task = a.task;
    o.region = a.region;
    o.labels = a.labels;
    r = pprof(argv[rest], &o, &a);
    return a.sandbox ? confined_exit(r) : r == 0 ? STATUS_OK : STATUS_FAILED;
}
