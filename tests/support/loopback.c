/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/loopback.h"

#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct loopback {
    int listener;
    unsigned port;
    SSL_CTX *tls;
    pthread_t thread;
    bool playing;
    sem_t gate;
    struct loopback_step *steps;
    size_t n_steps;
    char request[65536]; /* its head */
    char *body;
    size_t body_len;
    char asked_name[256];
    char client[256];
};

static void need(int good, const char *what)
{
    if (!good) {
        perror(what);
        abort();
    }
}

struct connection {
    int fd;
    SSL *ssl;
    char early[65536]; /* bytes that came with the head of the request but lie after it */
    size_t n_early;
};

static ssize_t conn_read(struct connection *c, void *data, size_t n)
{
    return c->ssl ? SSL_read(c->ssl, data, (int)n) : recv(c->fd, data, n, 0);
}

static bool conn_write(struct connection *c, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t done = c->ssl ? SSL_write(c->ssl, data, (int)(n < 65536 ? n : 65536))
                              : send(c->fd, data, n, MSG_NOSIGNAL);

        if (done <= 0)
            return false;
        data += done;
        n -= (size_t)done;
    }
    return true;
}

static void wait_for_close(struct connection *c)
{
    char ignored[4096];

    while (conn_read(c, ignored, sizeof(ignored)) > 0)
        ;
}

/* Reads the early bytes first, then the socket. */
static ssize_t take(struct connection *c, char *data, size_t n)
{
    if (c->n_early == 0)
        return conn_read(c, data, n);
    n = n < c->n_early ? n : c->n_early;
    memcpy(data, c->early, n);
    c->n_early -= n;
    memmove(c->early, c->early + n, c->n_early);
    return (ssize_t)n;
}

static bool read_request(struct loopback *l, struct connection *c)
{
    size_t len = 0;
    char *end = NULL;

    l->request[0] = '\0';
    l->body_len = 0;
    while (len < sizeof(l->request) - 1 && !end) {
        ssize_t n = take(c, l->request + len, sizeof(l->request) - 1 - len);

        if (n <= 0)
            return false;
        len += (size_t)n;
        l->request[len] = '\0';
        end = strstr(l->request, "\r\n\r\n");
    }
    if (end) {
        size_t head = (size_t)(end + 4 - l->request);

        memcpy(c->early, l->request + head, len - head);
        c->n_early = len - head;
        l->request[head] = '\0';
    }
    return true;
}

static bool read_body(struct loopback *l, struct connection *c, size_t n)
{
    const char *length = strcasestr(l->request, "\r\nContent-Length: ");

    if (n == 0 && length)
        n = strtoull(length + strlen("\r\nContent-Length: "), NULL, 10);
    l->body = realloc(l->body, n + 1);
    need(l->body != NULL, "realloc");
    while (l->body_len < n) {
        ssize_t got = take(c, l->body + l->body_len, n - l->body_len);

        if (got <= 0)
            return false;
        l->body_len += (size_t)got;
    }
    return true;
}

static bool open_connection(struct loopback *l, struct connection *c);
static void close_connection(struct connection *c);

/* Plays one step. False if the rest of the script must be left out. */
static bool play(struct loopback *l, struct connection *c, const struct loopback_step *s)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    size_t n = s->n > 0 || !s->data ? s->n : strlen(s->data);

    switch (s->what) {
    case LOOPBACK_SEND: return conn_write(c, s->data, n);
    case LOOPBACK_REPEAT:
        for (unsigned i = 0; i < s->times; i++) {
            if (!conn_write(c, s->data, n))
                return false;
        }
        return true;
    case LOOPBACK_WAIT: wait_for_close(c); return false;
    case LOOPBACK_GATE:
        while (sem_wait(&l->gate) < 0)
            need(errno == EINTR, "sem_wait");
        return true;
    case LOOPBACK_SLEEP: need(usleep(s->times * 1000) == 0, "usleep"); return true;
    case LOOPBACK_BODY: return read_body(l, c, s->n);
    case LOOPBACK_NEXT: return read_request(l, c);
    case LOOPBACK_ACCEPT: close_connection(c); return open_connection(l, c) && read_request(l, c);
    case LOOPBACK_RESET:
        need(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) == 0, "SO_LINGER");
        return false;
    }
    return false;
}

static bool handshake(struct loopback *l, struct connection *c)
{
    const char *name;
    X509 *cert;

    c->ssl = SSL_new(l->tls);
    need(c->ssl && SSL_set_fd(c->ssl, c->fd) == 1, "SSL_new");
    if (SSL_accept(c->ssl) != 1)
        return false;
    name = SSL_get_servername(c->ssl, TLSEXT_NAMETYPE_host_name);
    (void)snprintf(l->asked_name, sizeof(l->asked_name), "%s", name ? name : "");
    cert = SSL_get1_peer_certificate(c->ssl);
    if (cert)
        (void)X509_NAME_oneline(X509_get_subject_name(cert), l->client, sizeof(l->client));
    X509_free(cert);
    return true;
}

static bool open_connection(struct loopback *l, struct connection *c)
{
    *c = (struct connection){.fd = accept4(l->listener, NULL, NULL, SOCK_CLOEXEC)};
    return c->fd >= 0 && (!l->tls || handshake(l, c));
}

static void close_connection(struct connection *c)
{
    SSL_free(c->ssl);
    if (c->fd >= 0)
        (void)close(c->fd);
    *c = (struct connection){.fd = -1};
}

static void *serve(void *userdata)
{
    struct loopback *l = userdata;
    struct connection *c = malloc(sizeof(*c));

    need(c != NULL, "malloc");
    if (open_connection(l, c)) {
        (void)read_request(l, c);
        for (size_t i = 0; i < l->n_steps && play(l, c, &l->steps[i]); i++)
            ;
        if (c->ssl)
            (void)SSL_shutdown(c->ssl);
    }
    close_connection(c);
    free(c);
    return NULL;
}

static void listen_unix(struct loopback *l, const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t n = strlen(path);

    need(n < sizeof(a.sun_path), path);
    memcpy(a.sun_path, path, n);
    if (path[0] == '@')
        a.sun_path[0] = '\0';
    l->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    need(l->listener >= 0, "socket");
    need(bind(l->listener, (const struct sockaddr *)&a,
              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (path[0] != '@'))) == 0,
         path);
}

static void listen_tcp(struct loopback *l)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);

    l->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    need(l->listener >= 0, "socket");
    need(bind(l->listener, (const struct sockaddr *)&a, sizeof(a)) == 0, "bind");
    need(getsockname(l->listener, (struct sockaddr *)&a, &len) == 0, "getsockname");
    l->port = ntohs(a.sin_port);
}

static SSL_CTX *make_tls(const struct loopback_options *o)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

    need(tls != NULL, "SSL_CTX_new");
    need(SSL_CTX_use_certificate_file(tls, o->cert_file, SSL_FILETYPE_PEM) == 1, o->cert_file);
    need(SSL_CTX_use_PrivateKey_file(tls, o->key_file, SSL_FILETYPE_PEM) == 1, o->key_file);
    if (o->client_ca_file) {
        need(SSL_CTX_load_verify_file(tls, o->client_ca_file) == 1, o->client_ca_file);
        SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    return tls;
}

struct loopback *loopback_new(const struct loopback_options *options)
{
    static const struct loopback_options none;
    struct loopback *l = calloc(1, sizeof(*l));

    need(l != NULL, "calloc");
    if (!options)
        options = &none;
    if (options->unix_path)
        listen_unix(l, options->unix_path);
    else
        listen_tcp(l);
    need(listen(l->listener, 8) == 0, "listen");
    if (options->cert_file)
        l->tls = make_tls(options);
    need(sem_init(&l->gate, 0, 0) == 0, "sem_init");
    return l;
}

unsigned loopback_port(const struct loopback *l)
{
    return l->port;
}

void loopback_play(struct loopback *l, const struct loopback_step *steps, size_t n)
{
    (void)loopback_join(l);
    free(l->steps);
    l->steps = calloc(n + 1, sizeof(*steps));
    need(l->steps != NULL, "calloc");
    memcpy(l->steps, steps, n * sizeof(*steps));
    l->n_steps = n;
    l->body_len = 0;
    l->request[0] = l->asked_name[0] = l->client[0] = '\0';
    need(pthread_create(&l->thread, NULL, serve, l) == 0, "pthread_create");
    l->playing = true;
}

void loopback_open_gate(struct loopback *l)
{
    need(sem_post(&l->gate) == 0, "sem_post");
}

const char *loopback_join(struct loopback *l)
{
    struct pollfd listener = {.fd = l->listener, .events = POLLIN};
    struct timespec wait;

    if (!l->playing)
        return l->request;
    l->playing = false;
    /*
     * The client is done: either it has connected, or it never will. If it never will, accept(2)
     * must be woken up. But while a connection waits in the listener the thread has only not had
     * its turn on the processor yet, so then wait on.
     */
    do {
        need(clock_gettime(CLOCK_REALTIME, &wait) == 0, "clock_gettime");
        wait.tv_sec += 2;
        if (pthread_timedjoin_np(l->thread, NULL, &wait) == 0)
            return l->request;
    } while (poll(&listener, 1, 0) > 0);
    (void)shutdown(l->listener, SHUT_RDWR);
    need(pthread_join(l->thread, NULL) == 0, "pthread_join");
    return l->request;
}

const void *loopback_body(const struct loopback *l, size_t *ret_n)
{
    *ret_n = l->body_len;
    return l->body;
}

const char *loopback_asked_name(const struct loopback *l)
{
    return l->asked_name;
}

const char *loopback_client(const struct loopback *l)
{
    return l->client;
}

void loopback_free(struct loopback *l)
{
    if (!l)
        return;
    if (l->playing)
        (void)shutdown(l->listener, SHUT_RDWR);
    (void)loopback_join(l);
    (void)close(l->listener);
    SSL_CTX_free(l->tls);
    (void)sem_destroy(&l->gate);
    free(l->steps);
    free(l->body);
    free(l);
}
