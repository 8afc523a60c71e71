/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The services of polls.py: each address of 127/8 is one. /metrics is the page of a file; after
 * /ill the page of another. /log tells how many pages were served, and of each address when it sent the last byte of the first page
 * of the other kind, and when a trace was asked for next. Any other path is a trace that is none.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define THREADS 1200
#define SERVICES 65536 /* by the last two bytes of the address */

struct page {
    char *text; /* with its head */
    size_t n;
};

static struct page calm, ill;
static atomic_bool is_ill;
static _Atomic uint64_t served;
static _Atomic uint64_t crossed[SERVICES], asked[SERVICES];

static uint64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static unsigned service_of(int fd)
{
    struct sockaddr_in here = {0};
    socklen_t len = sizeof(here);

    (void)getsockname(fd, (struct sockaddr *)&here, &len);
    return ntohl(here.sin_addr.s_addr) & (SERVICES - 1);
}

static bool send_all(int fd, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, data, n, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        data += sent;
        n -= (size_t)sent;
    }
    return true;
}

static void answer_log(int fd)
{
    FILE *f = fdopen(dup(fd), "w");

    if (!f)
        return;
    (void)fputs("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", f);
    (void)fprintf(f, "%llu\n", (unsigned long long)served);
    for (unsigned i = 0; i < SERVICES; i++) {
        if (crossed[i] > 0)
            (void)fprintf(f, "%u %llu %llu\n", i, (unsigned long long)crossed[i],
                          (unsigned long long)asked[i]);
    }
    (void)fclose(f);
}

static bool answer(int fd, const char *head)
{
    static const char none[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    unsigned service = service_of(fd);
    bool now_ill = is_ill;

    if (strncmp(head, "GET /metrics ", 13) == 0) {
        const struct page *p = now_ill ? &ill : &calm;

        if (!send_all(fd, p->text, p->n))
            return false;
        served++;
        if (now_ill && crossed[service] == 0)
            crossed[service] = now_us();
        return true;
    }
    if (strncmp(head, "GET /log ", 9) == 0) {
        answer_log(fd);
        return false;
    }
    if (strncmp(head, "GET /ill ", 9) == 0)
        is_ill = true;
    else if (crossed[service] > 0 && asked[service] == 0)
        asked[service] = now_us();
    return send_all(fd, none, sizeof(none) - 1);
}

static bool read_head(int fd, char *head, size_t size)
{
    for (size_t n = 0; n < size - 1;) {
        ssize_t got = read(fd, head + n, size - 1 - n);

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
    int listener = *(int *)userdata, fd, on = 1;
    char head[8192];

    while ((fd = accept(listener, NULL, NULL)) >= 0 || errno == ECONNABORTED || errno == EMFILE) {
        if (fd < 0)
            continue;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        while (read_head(fd, head, sizeof(head)) && answer(fd, head))
            ;
        (void)close(fd);
    }
    return NULL;
}

static bool load(struct page *p, const char *path)
{
    FILE *f = fopen(path, "r");
    char head[128];
    size_t n, size;

    if (!f || fseek(f, 0, SEEK_END) < 0)
        return false;
    size = (size_t)ftell(f);
    rewind(f);
    n = (size_t)snprintf(head, sizeof(head),
                         "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"
                         "Content-Length: %zu\r\n\r\n",
                         size);
    p->text = malloc(n + size);
    if (!p->text)
        return false;
    memcpy(p->text, head, n);
    p->n = n + fread(p->text + n, 1, size, f);
    (void)fclose(f);
    return p->n == n + size;
}

/* pollserver CALM ILL */
int main(int argc, char **argv)
{
    struct sockaddr_in here = {.sin_family = AF_INET};
    socklen_t len = sizeof(here);
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pthread_attr_t attr;
    pthread_t thread;

    if (argc != 3 || !load(&calm, argv[1]) || !load(&ill, argv[2]) || listener < 0 ||
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(listener, (struct sockaddr *)&here, sizeof(here)) < 0 || listen(listener, 4096) < 0 ||
        getsockname(listener, (struct sockaddr *)&here, &len) < 0) {
        perror("pollserver");
        return 1;
    }
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, 64 << 10);
    for (int i = 1; i < THREADS; i++) {
        if (pthread_create(&thread, &attr, serve, &listener) != 0)
            return 1;
    }
    (void)printf("%u\n", ntohs(here.sin_port));
    (void)fflush(stdout);
    (void)serve(&listener);
    return 0;
}
