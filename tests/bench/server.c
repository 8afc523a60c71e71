/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The target of the benchmarks: an HTTP/1.1 server that answers GET /SIZE with a trace of SIZE
 * bytes, framed as Go 1.26 frames it and chunked as net/http chunks it (one chunk a batch). The
 * batches' contents are the same constant bytes, so nothing is copied or computed on the way out.
 *
 *   server                  listens on all of IPv4, prints the port
 *   GET /4096               a trace of 4096 bytes; a query is ignored
 *   GET /log                the arrivals since the last /log, one a line: the address that was
 *                           asked, and CLOCK_BOOTTIME in µs when the request had been read
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define THREADS 160 /* connections served at a time */
#define BATCH 65536 /* with its header, as runtime/trace writes it */
#define GENERATION (100ull * BATCH)
#define TRACE_MIN 64
#define TRACE_HEADER 16
#define GENERATION_EXTRA (BATCH_HEADER + 9 + 1) /* the sync batch and the end */
#define BATCH_HEADER 8
#define PIECES 24 /* in one writev */
#define ARRIVALS (1u << 20)

enum { EV_BATCH = 1, EV_SYNC = 50, EV_END = 52 };

struct arrival {
    uint32_t address;
    uint64_t at;
};

static char payload[BATCH];
static const char sync_payload[9] = {EV_SYNC};
static struct arrival arrivals[ARRIVALS];
static size_t n_arrivals;
static pthread_mutex_t arrivals_mutex = PTHREAD_MUTEX_INITIALIZER;

static uint64_t now_boot(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void note_arrival(int fd, uint64_t at)
{
    struct sockaddr_in here = {0};
    socklen_t len = sizeof(here);

    (void)getsockname(fd, (struct sockaddr *)&here, &len);
    (void)pthread_mutex_lock(&arrivals_mutex);
    if (n_arrivals < ARRIVALS)
        arrivals[n_arrivals++] = (struct arrival){ntohl(here.sin_addr.s_addr), at};
    (void)pthread_mutex_unlock(&arrivals_mutex);
}

struct out {
    int fd;
    struct iovec iov[PIECES * 4];
    int n;
    char text[PIECES][64]; /* buffers for chunk sizes and batch headers */
    int n_text;
    bool failed;
};

static void flush(struct out *o)
{
    struct iovec *iov = o->iov;

    while (o->n > 0 && !o->failed) {
        ssize_t sent = writev(o->fd, iov, o->n);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            o->failed = true;
        for (; sent > 0 && o->n > 0 && (size_t)sent >= iov->iov_len; iov++, o->n--)
            sent -= (ssize_t)iov->iov_len;
        if (sent > 0) {
            iov->iov_base = (char *)iov->iov_base + sent;
            iov->iov_len -= (size_t)sent;
        }
    }
    o->n = o->n_text = 0;
}

static void put(struct out *o, const void *data, size_t n)
{
    o->iov[o->n++] = (struct iovec){.iov_base = (void *)(uintptr_t)data, .iov_len = n};
}

/* Puts one chunk. `head` is copied, `body` is borrowed. */
static void put_chunk(struct out *o, const char *head, size_t n_head, const void *body, size_t n)
{
    char *text;
    int len;

    if (o->n_text == PIECES)
        flush(o);
    text = o->text[o->n_text++];
    len = snprintf(text, 32, "%zx\r\n", n_head + n);
    memcpy(text + len, head, n_head);
    put(o, text, (size_t)len + n_head);
    if (n > 0)
        put(o, body, n);
    put(o, "\r\n", 2);
}

/* Puts a batch of n payload bytes. Its numbers are padded to a fixed length, which LEB128
 * allows. */
static void put_batch(struct out *o, uint64_t generation, const void *data, size_t n)
{
    const char head[BATCH_HEADER] = {
        EV_BATCH,
        (char)(generation & 0x7f) | (char)0x80,
        (char)(generation >> 7 & 0x7f),
        1, /* thread */
        1, /* timestamp */
        (char)(n & 0x7f) | (char)0x80,
        (char)(n >> 7 & 0x7f) | (char)0x80,
        (char)(n >> 14 & 0x7f),
    };

    put_chunk(o, head, sizeof(head), data, n);
}

static void put_trace(struct out *o, uint64_t size)
{
    static const char end = EV_END;
    uint64_t left = size - TRACE_HEADER, generation = 0;

    put_chunk(o, "go 1.26 trace\0\0", TRACE_HEADER, NULL, 0);
    while (left > GENERATION_EXTRA && !o->failed) {
        uint64_t data = left < GENERATION ? left : GENERATION;

        left -= data;
        if (left < TRACE_MIN) { /* too little for another generation: this one gets it */
            data += left;
            left = 0;
        }
        put_batch(o, ++generation, sync_payload, sizeof(sync_payload));
        for (data -= GENERATION_EXTRA; data > 0 && !o->failed;) {
            uint64_t n = data < BATCH ? data : BATCH;

            /* If the rest would be too small for a batch's header, this batch leaves it more. */
            if (data > n && data - n < BATCH_HEADER)
                n -= BATCH_HEADER;
            put_batch(o, generation, payload, n < BATCH_HEADER ? 0 : n - BATCH_HEADER);
            data -= n;
        }
        put_chunk(o, &end, 1, NULL, 0);
    }
    put(o, "0\r\n\r\n", 5);
    flush(o);
}

static void answer_trace(int fd, uint64_t size)
{
    static const char header[] = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n";
    struct out o = {.fd = fd};

    put(&o, header, sizeof(header) - 1);
    put_trace(&o, size < TRACE_MIN ? TRACE_MIN : size);
}

static void answer_log(int fd)
{
    FILE *f = fdopen(dup(fd), "w");

    if (!f)
        return;
    (void)fputs("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", f);
    (void)pthread_mutex_lock(&arrivals_mutex);
    for (size_t i = 0; i < n_arrivals; i++) {
        struct in_addr a = {htonl(arrivals[i].address)};
        char text[INET_ADDRSTRLEN];

        (void)fprintf(f, "%s %llu\n", inet_ntop(AF_INET, &a, text, sizeof(text)),
                      (unsigned long long)arrivals[i].at);
    }
    n_arrivals = 0;
    (void)pthread_mutex_unlock(&arrivals_mutex);
    (void)fclose(f);
}

/* Reads the head of a request. False at the end of the connection. */
static bool read_head(int fd, char *head, size_t size)
{
    size_t n = 0;

    while (n < size - 1) {
        ssize_t got = read(fd, head + n, size - 1 - n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        n += (size_t)got;
        head[n] = '\0';
        if (strstr(head, "\r\n\r\n"))
            return true;
    }
    return false;
}

static void *serve(void *userdata)
{
    int listener = *(int *)userdata, fd;
    char head[8192];

    while ((fd = accept(listener, NULL, NULL)) >= 0 || errno == ECONNABORTED || errno == EMFILE) {
        int on = 1;

        if (fd < 0)
            continue;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        while (read_head(fd, head, sizeof(head))) {
            uint64_t at = now_boot();

            if (strncmp(head, "GET /log", 8) == 0) {
                answer_log(fd);
                break;
            }
            note_arrival(fd, at);
            if (strncmp(head, "GET /", 5) == 0)
                answer_trace(fd, strtoull(head + 5, NULL, 10));
        }
        (void)close(fd);
    }
    return NULL;
}

int main(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET};
    socklen_t len = sizeof(here);
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pthread_attr_t attr;
    pthread_t thread;

    memset(payload, 10, sizeof(payload));
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(listener, (struct sockaddr *)&here, sizeof(here)) < 0 || listen(listener, 4096) < 0 ||
        getsockname(listener, (struct sockaddr *)&here, &len) < 0) {
        perror("server");
        return 1;
    }
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, 128 << 10);
    for (int i = 1; i < THREADS; i++) {
        if (pthread_create(&thread, &attr, serve, &listener) != 0)
            return 1;
    }
    (void)printf("%u\n", ntohs(here.sin_port));
    (void)fflush(stdout);
    (void)serve(&listener);
    return 0;
}
