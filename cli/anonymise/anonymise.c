/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/buf.h"
#include "cli/anonymise/gzip.h"
#include "cli/anonymise/key.h"
#include "cli/common/arguments.h"
#include "cli/common/command.h"
#include "cli/common/screen.h"
#include "cli/read/outfile.h"
#include "cli/read/tracefile.h"
#include "trace/anonymise/anonpprof.h"
#include "trace/anonymise/anonymise.h"

#define KEEP_MAX 64
#define PROFILE_MAX (64 << 20) /* inflated */

static const char intro[] =
    "Usage: contrace anonymise [OPTIONS] FILE -o OUT\n"
    "Writes a copy of a Go execution trace, or of a profile of pprof, without the program's names: "
    "functions, files, tasks, regions, logs and values of labels are keyed hashes; events, times and "
    "numbers are the same. Names of Go's standard library and of well-known libraries stay. FILE may "
    "be '-', OUT too.";

struct keep {
    const char *patterns[KEEP_MAX];
    size_t n;
};

struct anonymise_arguments {
    const char *out, *key_file;
    struct keep keep;
    bool force;
};

#define FIELD(name) offsetof(struct anonymise_arguments, name)

static const char *read_keep(void *field, const char *value)
{
    struct keep *keep = field;

    if (value[0] == '\0' || keep->n == KEEP_MAX)
        return "a pattern for names, such as 'example.com/shop/*'; at most 64 of them";
    keep->patterns[keep->n++] = value;
    return NULL;
}

static const struct argument rows[] = {
    {"output", 'o', "OUT", "write it here; '-' is standard output", argument_text, FIELD(out)},
    {"force", 'f', NULL, "replace OUT if there is one", argument_flag, FIELD(force)},
    {"key-file", 0, "FILE",
     "hash under the key in this file, so that hashes are the same in all that it is used for; "
     "without it under a random key",
     argument_text, FIELD(key_file)},
    {"keep", 0, "PATTERN",
     "keep names that match, as the shell matches file names: 'example.com/shop/*', 'GET *'; may "
     "be given several times",
     read_keep, FIELD(keep)},
};

static int write_landing(void *userdata, const void *data, size_t n)
{
    return landing_write(userdata, data, n);
}

static int write_stdout(void *userdata, const void *data, size_t n)
{
    (void)userdata;
    errno = 0;
    return fwrite(data, 1, n, stdout) == n ? 0 : errno > 0 ? -errno : -EIO;
}

static void complain_of(const char *path, int r, bool gzip, const struct anonymise_fault *fault)
{
    const char *called = tracefile_called(path);

    if (r == -ENOMSG || r == -ENOTSUP)
        complain("%s: %s", called, fault->text);
    else if (gzip && r == -E2BIG)
        complain("%s: a profile of more than %d MiB, or of too many names", called,
                 PROFILE_MAX >> 20);
    else if (gzip && r == -EBADMSG)
        complain("%s: not a whole profile of pprof%s%s", called, fault->text ? ": " : "",
                 fault->text ? fault->text : "");
    else if (fault->text)
        complain("%s: %s, at byte %" PRIu64 "; 'contrace verify --salvage' writes what is whole",
                 called, fault->text, fault->offset);
    else if (r == -E2BIG)
        complain("%s: too many names to remember", called);
    else
        complain("%s: %s", called, strerror(-r));
}

static int add_to_buf(void *userdata, const void *data, size_t n)
{
    return buf_add(userdata, data, n);
}

/* A profile is small: it is inflated and written anew in memory. */
static int anonymise_gzip(int fd, struct pseudonyms *p, uint64_t seed, struct anonymise_output *out,
                          struct anonymise_fault *fault)
{
    struct buf plain, made;
    struct anonymise_output to = {.write = add_to_buf, .userdata = &made};
    int r;

    buf_init(&plain, PROFILE_MAX);
    buf_init(&made, 2 * (size_t)PROFILE_MAX);
    r = gzip_read(fd, &plain);
    if (r == 0)
        r = anonymise_pprof(plain.data, plain.len, p, seed, &to, fault);
    if (r == 0)
        r = out->error = gzip_write(made.data, made.len, out->write, out->userdata);
    buf_done(&plain);
    buf_done(&made);
    return r;
}

static bool is_gzip(int fd)
{
    unsigned char begin[2];

    return pread(fd, begin, 2, 0) == 2 && begin[0] == 0x1f && begin[1] == 0x8b;
}

/* 0, or a negative errno after a message unless the output failed. */
static int anonymise(const char *path, int fd, struct pseudonyms *p, struct anonymise_output *out)
{
    struct anonymise_fault fault = {0, NULL};
    bool gzip = is_gzip(fd);
    uint64_t seed;
    int r;

    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
        complain("anonymise: there are no random numbers: %s", strerror(errno));
        return -EIO;
    }
    if (gzip)
        r = anonymise_gzip(fd, p, seed, out, &fault);
    else
        r = anonymise_trace(fd, p, seed, out, &fault);
    if (r < 0 && out->error == 0)
        complain_of(path, r, gzip, &fault);
    return r;
}

static int to_stdout(const char *path, int fd, struct pseudonyms *p)
{
    struct anonymise_output out = {.write = write_stdout};
    int r;

    if (isatty(STDOUT_FILENO)) {
        complain("anonymise: -o - writes what a terminal cannot show");
        return -EINVAL;
    }
    r = anonymise(path, fd, p, &out);
    if (out.error < 0)
        complain("standard output: %s", strerror(-out.error));
    return r;
}

static int to_file(const char *path, int fd, struct pseudonyms *p,
                   const struct anonymise_arguments *a)
{
    struct landing l;
    struct anonymise_output out = {.write = write_landing, .userdata = &l};
    int r = outfile_begin(&l, a->out, a->force), finished = 0;

    if (r < 0)
        return outfile_complain(a->out, r);
    r = anonymise(path, fd, p, &out);
    if (r == 0)
        finished = landing_finish(&l, a->force);
    if (out.error < 0 || finished < 0)
        r = outfile_complain(a->out, out.error < 0 ? out.error : finished);
    landing_done(&l);
    return r;
}

static int run(const char *path, const struct anonymise_arguments *a, struct key *key)
{
    struct pseudonyms p = {
        .digest = key_digest, .userdata = key, .keep = a->keep.patterns, .n_keep = a->keep.n};
    _cleanup_close_ int fd = tracefile_open_again(path);

    if (fd < 0) {
        complain("%s: %s", tracefile_called(path), strerror(-fd));
        return fd;
    }
    return strcmp(a->out, "-") == 0 ? to_stdout(path, fd, &p) : to_file(path, fd, &p, a);
}

int command_anonymise(int argc, char **argv)
{
    struct anonymise_arguments a = {0};
    const struct argument_group groups[] = {GROUP(rows, &a)};
    struct key *key = NULL;
    int rest, r = arguments_parse(argc, argv, groups, 1, intro, &rest);

    if (r != 0)
        return r < 0 ? STATUS_USAGE : STATUS_OK;
    if (argc - rest != 1 || !a.out) {
        complain(argc == rest       ? "anonymise: which file?"
                 : argc - rest != 1 ? "anonymise: one file at a time"
                                    : "anonymise: where to? -o OUT");
        return STATUS_USAGE;
    }
    r = key_new(a.key_file, &key);
    if (r == 0)
        r = run(argv[rest], &a, key);
    key_free(key);
    return command_exit(r);
}
