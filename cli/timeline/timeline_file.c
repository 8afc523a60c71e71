/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/timeline/timeline_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "cli/common/screen.h"
#include "cli/read/failure.h"
#include "cli/read/outfile.h"
#include "cli/read/tracefile.h"
#include "trace/export/export.h"
#include "trace/export/proto.h"

/* TracePacket.compressed_packets: packets, compressed with zlib. It is what keeps the file smaller
 * than the trace. */
enum { TRACE_PACKET = 1, PACKET_COMPRESSED_PACKETS = 50 };

/* The more there is, the less time is spent on each byte: what is small stays smaller than its trace,
 * and what is large takes no longer than it must. */
#define SMALL ((uint64_t)2 << 20)
#define MEDIUM ((uint64_t)10 << 20)

/* The file as it is written. */
struct output {
    uint64_t packed; /* bytes of packets */
    struct landing landing;
    bool to_stdout;
    int error; /* of writing, not of compressing */
    struct proto packet;
    uint8_t *block;
    size_t size; /* of the block */
};

static int put(struct output *o, const void *data, size_t n)
{
    if (!o->to_stdout)
        return o->error = landing_write(&o->landing, data, n);
    errno = 0;
    if (fwrite(data, 1, n, stdout) != n)
        o->error = errno > 0 ? -errno : -EIO;
    return o->error;
}

static int reserve(struct output *o, size_t n)
{
    uint8_t *block;

    if (n <= o->size)
        return 0;
    block = realloc(o->block, n);
    if (!block)
        return -ENOMEM;
    o->block = block;
    o->size = n;
    return 0;
}

static int level(const struct output *o)
{
    return o->packed < SMALL  ? Z_BEST_COMPRESSION
         : o->packed < MEDIUM ? Z_DEFAULT_COMPRESSION
                              : Z_BEST_SPEED;
}

static int write_packets(void *userdata, const void *data, size_t n)
{
    struct output *o = userdata;
    uLongf len = compressBound(n);
    int r = reserve(o, len);

    if (r < 0)
        return r;
    if (compress2(o->block, &len, data, n, level(o)) != Z_OK)
        return -ENOMEM;
    o->packed += n;
    proto_clear(&o->packet);
    proto_begin(&o->packet, TRACE_PACKET);
    proto_bytes(&o->packet, PACKET_COMPRESSED_PACKETS, o->block, len);
    proto_end(&o->packet);
    return o->packet.error < 0 ? o->packet.error : put(o, o->packet.data, o->packet.n);
}

/* Whether what came before a failure of the reader counts. */
static bool counts(const struct gotrace *trace, int r)
{
    return gotrace_last_error(trace).code == r && r != -ENOMEM && r != -ENOTSUP;
}

/* As timeline_file. */
static int judge(const char *file, const struct gotrace *trace, const struct timeline_file *f,
                 const struct export_result *result, const struct output *o, int r)
{
    struct failure failure;

    if (o->error < 0) {
        if (o->error != -EPIPE || !o->to_stdout)
            (void)outfile_complain(o->to_stdout ? "standard output" : f->out, o->error);
        return o->error == -EINVAL ? -EIO : o->error;
    }
    if (r < 0 || result->generations == 0) {
        bool some = r < 0 && result->generations > 0 && counts(trace, r);

        failure = failure_of_trace(trace, r < 0 ? r : -ENODATA);
        if (r == -EOVERFLOW && !failure.placed)
            (void)strcpy(failure.text, "its times make no sense");
        failure_complain(file, &failure, some ? "; what came before is written" : "");
        if (!some)
            return failure.code == -EINVAL ? -EIO : failure.code;
    }
    if (f->choice->since >= result->window) {
        complain("timeline: --since is behind the trace's end");
        return -EINVAL;
    }
    if (result->left_out > 0)
        complain("%s: %llu goroutines, tasks or regions are left out: too many at once",
                 tracefile_called(file), (unsigned long long)result->left_out);
    return r < 0 ? 1 : 0;
}

static int export_to(const char *file, int fd, const struct timeline_file *f, struct output *o)
{
    const struct export_options options = {
        .since = f->choice->since,
        .until = f->choice->until,
        .goroutines = f->choice->goroutines,
        .n_goroutines = f->choice->n,
    };
    struct export_result result = {0};
    struct gotrace *trace = NULL;
    int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : gotrace_open_mapped(NULL, fd, &trace);

    if (r < 0) {
        complain("%s: %s", tracefile_called(file), strerror(-r));
        return r;
    }
    gotrace_spill(trace, f->spill, NULL);
    r = export_run(trace, &options, write_packets, o, &result);
    r = judge(file, trace, f, &result, o, r);
    gotrace_close(trace);
    return r;
}

int timeline_file(const char *file, int fd, const struct timeline_file *f)
{
    struct output o = {.to_stdout = strcmp(f->out, "-") == 0};
    int r = o.to_stdout ? 0 : outfile_begin(&o.landing, f->out, f->force), finished = 0;

    if (r < 0)
        return outfile_complain(f->out, r) == -EINVAL ? -EEXIST : r;
    proto_init(&o.packet);
    r = export_to(file, fd, f, &o);
    if (r >= 0 && o.to_stdout)
        finished = screen_finish();
    else if (r >= 0)
        finished = landing_finish(&o.landing, f->force);
    if (finished < 0 && !o.to_stdout)
        (void)outfile_complain(f->out, finished);
    if (!o.to_stdout)
        landing_done(&o.landing);
    proto_done(&o.packet);
    free(o.block);
    return finished < 0 ? finished : r;
}
