/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"

#define RETRY_PAUSE (30 * USEC_PER_SEC)
/* Time without accepting when there is no descriptor for a connection. */
#define ACCEPT_PAUSE USEC_PER_SEC
/* Least time between two log lines about that, even if a descriptor is free in between. */
#define SAY_PAUSE (10 * USEC_PER_MIN)
#define ACCURACY (100 * USEC_PER_MSEC)
#define BACKLOG 256
#define SOCKET_MODE 0660

struct listener {
    sd_event *event;
    struct listen_address address;
    bool quiet;
    listener_accept_fn fn;
    void *userdata;
    int fd;                      /* -1: not bound */
    sd_event_source *io, *timer; /* timer: the next try to bind, or the end of a pause */
    int error;                   /* the error that was logged last; 0: none */
    usec short_of_fds; /* boot time when a shortage of descriptors was logged last; 0: never */
    dev_t dev;         /* device and inode of the socket's file, so that only that is removed */
    ino_t ino;
};

static bool is_unix(const struct listener *l)
{
    return l->address.sa.any.sa_family == AF_UNIX;
}

/* Connects to a unix socket to see if it is in use. 0: it is. -ECONNREFUSED: nobody listens on it.
 * Or another negative errno. */
static int call(const struct listen_address *a)
{
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    /* EAGAIN: the queue is full, so somebody listens. */
    return connect(fd, &a->sa.any, a->len) < 0 && errno != EAGAIN ? -errno : 0;
}

/* Removes the file of a socket that nobody listens on. 0, or a negative errno that says why it
 * stays. */
static int remove_stale(const struct listen_address *a)
{
    struct stat st;
    int r;

    if (lstat(a->sa.un.sun_path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    r = call(a);
    if (r == 0)
        return -EADDRINUSE;
    if (r != -ECONNREFUSED && r != -ENOENT)
        return r;
    if (unlink(a->sa.un.sun_path) < 0 && errno != ENOENT)
        return -errno;
    log_info("removed %s, which nobody listened on any more", a->sa.un.sun_path);
    return 0;
}

/*
 * Opens and locks the socket's directory; the lock lasts until the descriptor is closed. If two
 * daemons start at once, the second must not take the socket of the first for a stale one before
 * the first listens on it.
 */
static int lock_directory(const char *socket_path)
{
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    int fd, r;

    memcpy(path, socket_path, strlen(socket_path) + 1);
    fd = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        r = errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
        (void)close(fd);
        return r;
    }
    return fd;
}

static int bind_unix(struct listener *l, int fd)
{
    const struct listen_address *a = &l->address;
    _cleanup_close_ int lock = lock_directory(a->sa.un.sun_path);
    struct stat st;
    int r;

    if (lock < 0)
        return lock;
    r = remove_stale(a);
    if (r < 0)
        return r;
    /* The file gets the descriptor's mode, less the umask, so its mode is never wider than
     * wanted. */
    if (fchmod(fd, SOCKET_MODE) < 0 || bind(fd, &a->sa.any, a->len) < 0)
        return -errno;
    if (lstat(a->sa.un.sun_path, &st) < 0 || chmod(a->sa.un.sun_path, SOCKET_MODE) < 0 ||
        listen(fd, BACKLOG) < 0) {
        r = -errno;
        (void)unlink(a->sa.un.sun_path);
        return r;
    }
    l->dev = st.st_dev;
    l->ino = st.st_ino;
    return 0;
}

/* Removes the socket's file if it is still ours: if somebody removed it by hand, another contraced
 * may have made its own there. */
static void remove_file(const struct listener *l)
{
    const char *path = l->address.sa.un.sun_path;
    struct stat st;

    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_dev == l->dev && st.st_ino == l->ino)
        (void)unlink(path);
}

static int bind_tcp(struct listener *l, int fd)
{
    const struct listen_address *a = &l->address;
    const int on = 1, off = 0;

    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        return -errno;
    /* "[::]" and ":PORT" include IPv4, whatever the system's default is. */
    if (a->sa.any.sa_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0)
        return -errno;
    if (bind(fd, &a->sa.any, a->len) < 0 || listen(fd, BACKLOG) < 0)
        return -errno;
    return 0;
}

/* For ":PORT" on a kernel without IPv6: uses IPv4. False for other addresses. */
static bool fall_back(struct listen_address *a)
{
    in_port_t port = a->sa.v6.sin6_port;

    if (a->text[0] != ':')
        return false;
    a->sa.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
    a->len = sizeof(a->sa.v4);
    return true;
}

static int open_socket(struct listener *l)
{
    int fd = socket(l->address.sa.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 && errno == EAFNOSUPPORT && l->address.sa.any.sa_family == AF_INET6 &&
        fall_back(&l->address))
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 ? -errno : fd;
}

static void wait_for(struct listener *l, usec pause)
{
    int r = sd_event_source_set_time_relative(l->timer, pause);

    if (r >= 0)
        r = sd_event_source_set_enabled(l->timer, SD_EVENT_ONESHOT);
    if (r < 0)
        log_error("%s: not tried again: %s", l->address.text, strerror(-r));
}

/* Pauses accepting: connections that cannot be accepted stay in the queue and would wake the loop
 * again and again. */
static void pause_accepting(struct listener *l, int error)
{
    usec now = loop_now(l->event, CLOCK_BOOTTIME);

    if (l->short_of_fds == 0 || now - l->short_of_fds >= SAY_PAUSE) {
        log_warn("%s: a connection has to wait: %s%s", l->address.text, strerror(error),
                 error == EMFILE ? "; a higher limit (LimitNOFILE, ulimit -n) helps" : "");
        l->short_of_fds = now;
    }
    (void)sd_event_source_set_enabled(l->io, SD_EVENT_OFF);
    wait_for(l, ACCEPT_PAUSE);
}

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
    struct listener *l = userdata;

    (void)s;
    (void)revents;
    for (unsigned i = 0; i < LISTENER_BURST; i++) {
        struct sockaddr_storage peer = {0};
        socklen_t len = sizeof(peer);
        int client = accept4(fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (client >= 0) {
            l->fn(l->userdata, l, client, (struct sockaddr *)&peer, len);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_accepting(l, errno);
            return 0;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return 0;
        } /* any other error: that connection is gone, see accept(2) */
    }
    return 0;
}

/* If IPv6 is switched off, the kernel may still make IPv6 sockets but have no address to bind. Then
 * ":PORT" is bound with IPv4. */
static int bind_any_family(struct listener *l, int *fd)
{
    int r = bind_tcp(l, *fd);

    if (r != -EADDRNOTAVAIL || l->address.sa.any.sa_family != AF_INET6 || !fall_back(&l->address))
        return r;
    (void)close(*fd);
    *fd = open_socket(l);
    return *fd < 0 ? *fd : bind_tcp(l, *fd);
}

static int bind_now(struct listener *l)
{
    int fd = open_socket(l), r;

    if (fd < 0)
        return fd;
    r = is_unix(l) ? bind_unix(l, fd) : bind_any_family(l, &fd);
    if (r == 0) {
        r = sd_event_add_io(l->event, &l->io, fd, EPOLLIN, on_io, l);
        if (r < 0 && is_unix(l))
            remove_file(l);
    }
    if (r < 0) {
        (void)close_fd(fd);
        return r;
    }
    l->fd = fd;
    return 0;
}

static const char *advice(int error)
{
    switch (error) {
    case EADDRINUSE:
        return "another program has it, perhaps another contraced: stop that, or set "
               "web.listen_address to something else or to off";
    case EADDRNOTAVAIL: return "this machine has no such address: set web.listen_address";
    case EACCES:
    case EPERM:
    case EROFS:
        return "let contraced write there, or set web.listen_address to something else or to off";
    case ENOENT:
    case ENOTDIR: return "make its directory, or set web.listen_address to something else";
    case EEXIST: return "what stands there is no socket: remove it, or set web.listen_address";
    case EAFNOSUPPORT: return "this machine has no IPv6: set web.listen_address";
    default: return "set web.listen_address to something else or to off";
    }
}

static bool is_hidden(const struct listener *l, int error)
{
    return l->quiet && is_unix(l) && (error == ENOENT || error == EACCES);
}

static void say_failed(struct listener *l, int error)
{
    if (error == l->error)
        return;
    l->error = error;
    log_write(is_hidden(l, error) ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR, NULL,
              "cannot listen on %s: %s (%s); captures go on, and it is tried again every 30s",
              l->address.text, strerror(error), advice(error));
}

/* Logs the address, with the port that the kernel chose if the configured one is 0. */
static void say_listening(const struct listener *l)
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof(sa);
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (is_unix(l) || getsockname(l->fd, (struct sockaddr *)&sa, &len) < 0 ||
        getnameinfo((struct sockaddr *)&sa, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        log_info("listening on %s", l->address.text);
    else
        log_info(strchr(host, ':') ? "listening on http://[%s]:%s" : "listening on http://%s:%s",
                 host, port);
}

static void try_now(struct listener *l)
{
    int r = bind_now(l);

    if (r < 0) {
        say_failed(l, -r);
        wait_for(l, RETRY_PAUSE);
        return;
    }
    l->error = 0;
    say_listening(l);
}

static int on_timer(sd_event_source *s, uint64_t now, void *userdata)
{
    struct listener *l = userdata;

    (void)s;
    (void)now;
    if (l->fd < 0)
        try_now(l);
    else if (sd_event_source_set_enabled(l->io, SD_EVENT_ON) < 0)
        wait_for(l, ACCEPT_PAUSE);
    return 0;
}

int listener_new(sd_event *event, const struct listen_address *address, bool quiet,
                 listener_accept_fn fn, void *userdata, struct listener **ret)
{
    struct listener *l = calloc(1, sizeof(*l));
    int r;

    if (!l)
        return -ENOMEM;
    *l = (struct listener){.event = sd_event_ref(event),
                           .address = *address,
                           .quiet = quiet,
                           .fn = fn,
                           .userdata = userdata,
                           .fd = -1};
    /* The timer is made now: if memory is short later, a listener that waits must still be able to
     * try again. */
    r = sd_event_add_time(event, &l->timer, CLOCK_BOOTTIME, 0, ACCURACY, on_timer, l);
    if (r >= 0)
        r = sd_event_source_set_enabled(l->timer, SD_EVENT_OFF);
    if (r < 0) {
        listener_free(l);
        return r;
    }
    *ret = l;
    return 0;
}

void listener_start(struct listener *l)
{
    try_now(l);
}

void listener_free(struct listener *l)
{
    if (!l)
        return;
    sd_event_source_disable_unref(l->io);
    sd_event_source_disable_unref(l->timer);
    if (l->fd >= 0) {
        if (is_unix(l))
            remove_file(l);
        (void)close(l->fd);
    }
    sd_event_unref(l->event);
    free(l);
}

const struct listen_address *listener_address(const struct listener *l)
{
    return &l->address;
}

void listener_set_quiet(struct listener *l, bool quiet)
{
    int error = l->error;
    bool hidden = is_hidden(l, error);

    l->quiet = quiet;
    if (!hidden || is_hidden(l, error))
        return;
    l->error = 0;
    say_failed(l, error);
}
