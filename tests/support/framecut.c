/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Cuts a trace at its last whole generation, as a capture that breaks off is cut:
 *
 *   framecut [-n BYTES] [-p PIECE] [-u] [-o OUT] FILE
 *
 * Feeds FILE (or its first BYTES, as if the connection broke there) in pieces of PIECE bytes and
 * prints one line of `name=value` fields. -u: the end is not clean, which -n implies. -o writes the
 * whole part to OUT. Exits 0 if anything is whole, 1 if nothing is, 2 on failure.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/framing.h"

struct cut {
    FILE *in;
    uint64_t limit;
    size_t piece;
    bool clean;
    const char *out;
};

static const char *format_name(enum framing_format format)
{
    static const char *const names[] = {
        [FRAMING_UNKNOWN] = "unknown",
        [FRAMING_NOT_A_TRACE] = "none",
        [FRAMING_V1] = "v1",
        [FRAMING_V2] = "v2",
    };

    return names[format];
}

static int feed_file(struct framing *f, struct cut *c)
{
    uint64_t left = c->limit;
    uint8_t *buf = malloc(c->piece);
    int r = 0;

    if (!buf)
        return -ENOMEM;
    while (left > 0 && r == 0) {
        size_t want = left < c->piece ? (size_t)left : c->piece;
        size_t n = fread(buf, 1, want, c->in);

        if (n == 0)
            break;
        left -= n;
        r = framing_feed(f, buf, n);
    }
    free(buf);
    return ferror(c->in) ? -EIO : 0;
}

static int copy_whole(FILE *in, const char *path, uint64_t left)
{
    FILE *out = fopen(path, "wbe");
    char buf[1 << 16];

    if (!out)
        return -errno;
    rewind(in);
    while (left > 0) {
        size_t n = fread(buf, 1, left < sizeof(buf) ? (size_t)left : sizeof(buf), in);

        if (n == 0 || fwrite(buf, 1, n, out) != n)
            break;
        left -= n;
    }
    if (fclose(out) != 0 || left > 0)
        return -EIO;
    return 0;
}

static int usage(void)
{
    fputs("usage: framecut [-n BYTES] [-p PIECE] [-u] [-o OUT] FILE\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    struct cut c = {.limit = UINT64_MAX, .piece = 16384, .clean = true};
    struct framing f;
    int opt, r;

    while ((opt = getopt(argc, argv, "n:p:uo:")) != -1) {
        switch (opt) {
        case 'n':
            c.limit = strtoull(optarg, NULL, 10);
            c.clean = false;
            break;
        case 'p': c.piece = strtoul(optarg, NULL, 10); break;
        case 'u': c.clean = false; break;
        case 'o': c.out = optarg; break;
        default: return usage();
        }
    }
    if (optind + 1 != argc || c.piece == 0)
        return usage();
    c.in = fopen(argv[optind], "rbe");
    if (!c.in) {
        fprintf(stderr, "framecut: %s: %s\n", argv[optind], strerror(errno));
        return 2;
    }

    framing_init(&f, NULL);
    r = feed_file(&f, &c);
    if (r == 0) {
        r = framing_finish(&f, c.clean);
        printf("format=%s go=1.%u generations=%" PRIu64 " whole_bytes=%" PRIu64 " offset=%" PRIu64
               " finish=%d error=%s\n",
               format_name(f.format), f.go_minor, f.generations, f.whole_bytes, f.offset, r,
               f.error ? f.error : "-");
        r = c.out && f.whole_bytes > 0 ? copy_whole(c.in, c.out, f.whole_bytes) : 0;
    }
    fclose(c.in);
    if (r < 0) {
        fprintf(stderr, "framecut: %s\n", strerror(-r));
        return 2;
    }
    return f.whole_bytes > 0 ? 0 : 1;
}
