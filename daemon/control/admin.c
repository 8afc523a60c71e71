/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/control/admin_state.h"

/* Bytes of a connection: the request's head, and the server's notes about it while it reads. */
#define CONNECTION_MEMORY ((size_t)2 * ADMIN_HEADERS_MAX)

#define CALLS_MOST 8                  /* calls of the server in one turn of the loop */
#define SERVER_ACCURACY USEC_PER_MSEC /* adds to the delay of replies that do not come at once */
#define SWEEP_ACCURACY (250 * USEC_PER_MSEC)

#define STOPPING "contraced is stopping"

/*
 * Gives back a connection's slot; a second time does nothing. MHD_add_connection may first report
 * the connection as closed, which frees the slot, and then fail: when epoll has no more watches
 * (epoll_ctl(2): ENOSPC).
 */
static void slot_free(struct connection *c)
{
    if (c->phase == PHASE_FREE)
        return;
    if (!c->dying)
        c->admin->n_alive--;
    *c = (struct connection){.fd = -1};
}

/* True if the server wants to be called again, after *ret_time. */
static bool wants_call(const struct admin *a, usec *ret_time)
{
    MHD_UNSIGNED_LONG_LONG ms = 0;

    if (!a->again && MHD_get_timeout(a->mhd, &ms) != MHD_YES)
        return false;
    *ret_time = (usec)ms * USEC_PER_MSEC;
    return true;
}

/* Frees the slots of connections that the server could not take over for lack of memory: it closes
 * them without calling on_connection. */
static void drop_lost(struct admin *a)
{
    for (size_t i = 0; a->adding && i < CONNECTION_SLOTS; i++) {
        if (a->connections[i].phase != PHASE_FREE && !a->connections[i].mhd)
            slot_free(&a->connections[i]);
    }
    a->adding = false;
}

static void turn(struct admin *a)
{
    bool wanted = true;
    usec time = 0;

    for (unsigned i = 0; i < CALLS_MOST && wanted && time == 0; i++) {
        a->again = false;
        (void)MHD_run(a->mhd);
        wanted = wants_call(a, &time);
    }
    drop_lost(a);
    if (wanted)
        admin_call_in(a, time);
    else
        (void)sd_event_source_set_enabled(a->timer, SD_EVENT_OFF);
}

static int on_server(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
    (void)s;
    (void)fd;
    (void)revents;
    turn(userdata);
    return 0;
}

static int on_server_timer(sd_event_source *s, uint64_t now, void *userdata)
{
    (void)s;
    (void)now;
    turn(userdata);
    return 0;
}

__attribute__((format(printf, 2, 0))) static void on_server_log(void *cls, const char *fmt,
                                                                va_list args)
{
    char line[256];

    (void)cls;
    (void)vsnprintf(line, sizeof(line), fmt, args);
    line[strcspn(line, "\n")] = '\0';
    log_debug("admin endpoint: %s", line);
}

static usec deadline(const struct connection *c)
{
    if (c->phase == PHASE_READING)
        return c->since + ADMIN_REQUEST_TIMEOUT;
    if (c->phase == PHASE_TAKING && c->call)
        return c->since + ADMIN_REQUEST_TIMEOUT < c->call->until ? c->since + ADMIN_REQUEST_TIMEOUT
                                                                 : c->call->until;
    return c->admin->stopped ? c->admin->stopped_at + ADMIN_LINGER : USEC_NEVER;
}

static void end(struct connection *c)
{
    connection_end(c);
    if (c->call)
        call_abort(c->call);
}

/* Ends connections whose time is over: a request that does not come, or comes byte by byte, and
 * after admin_stop also replies that take too long. */
static int on_sweep(sd_event_source *s, uint64_t scheduled, void *userdata)
{
    struct admin *a = userdata;
    usec now = admin_now(a), next = USEC_NEVER;

    (void)s;
    (void)scheduled;
    for (size_t i = 0; i < CONNECTION_SLOTS; i++) {
        struct connection *c = &a->connections[i];

        if (c->phase == PHASE_FREE || c->dying)
            continue;
        if (now >= deadline(c))
            end(c);
        else if (deadline(c) < next)
            next = deadline(c);
    }
    if (next != USEC_NEVER)
        admin_sweep_at(a, next);
    return 0;
}

/* Makes place for a new connection by ending the oldest one: first among those that are idle or
 * reading, then those that are sending, then those that are taken or waiting. */
static void give_way(struct admin *a)
{
    static const enum phase order[] = {PHASE_READING, PHASE_SENDING, PHASE_TAKING, PHASE_WAITING};
    struct connection *oldest = NULL;

    for (size_t k = 0; k < sizeof(order) / sizeof(order[0]) && !oldest; k++) {
        for (size_t i = 0; i < CONNECTION_SLOTS; i++) {
            struct connection *c = &a->connections[i];

            if (c->phase == order[k] && !c->dying && (!oldest || c->since < oldest->since))
                oldest = c;
        }
    }
    if (oldest)
        end(oldest);
}

static struct connection *free_slot(struct admin *a)
{
    for (size_t i = 0; i < CONNECTION_SLOTS; i++) {
        if (a->connections[i].phase == PHASE_FREE)
            return &a->connections[i];
    }
    return NULL;
}

static void on_accepted(void *userdata, struct listener *l, int fd, const struct sockaddr *peer,
                        socklen_t len)
{
    const struct listen_address *address = listener_address(l);
    struct admin *a = userdata;
    struct connection *c = free_slot(a);

    if (!c) {
        (void)close(fd);
        return;
    }
    if (a->n_alive >= ADMIN_CONNECTIONS_MAX)
        give_way(a);
    *c = (struct connection){.admin = a,
                             .fd = fd,
                             .loopback = address->local,
                             .unix_socket = address->sa.any.sa_family == AF_UNIX};
    memcpy(c->listener, address->text, sizeof(c->listener));
    a->n_alive++;
    connection_phase(c, PHASE_READING);
    a->adding = true;
    if (MHD_add_connection(a->mhd, fd, peer, len) != MHD_YES)
        slot_free(c);
    else
        admin_wake(a);
}

static struct connection *by_fd(struct admin *a, int fd)
{
    for (size_t i = 0; i < CONNECTION_SLOTS; i++) {
        if (a->connections[i].phase != PHASE_FREE && a->connections[i].fd == fd)
            return &a->connections[i];
    }
    return NULL;
}

/* MHD_NotifyConnectionCallback */
static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    const union MHD_ConnectionInfo *info;
    struct connection *c;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*context)
            slot_free(*context);
        *context = NULL;
        return;
    }
    info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    c = info ? by_fd(cls, info->connect_fd) : NULL;
    if (c)
        c->mhd = mhd;
    *context = c;
}

static bool listed(const struct listen_list *list, const char *text)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->items[i].text, text) == 0)
            return true;
    }
    return false;
}

static struct listener *find_listener(const struct admin *a, const char *text)
{
    for (size_t i = 0; i < a->n_listeners; i++) {
        if (strcmp(listener_address(a->listeners[i])->text, text) == 0)
            return a->listeners[i];
    }
    return NULL;
}

/* Ends the connections of addresses that are given up. Those with a request under way may finish
 * it. */
static void end_connections(struct admin *a, const struct listen_list *keep)
{
    for (size_t i = 0; i < CONNECTION_SLOTS; i++) {
        struct connection *c = &a->connections[i];

        if (c->phase == PHASE_FREE || listed(keep, c->listener))
            continue;
        c->last = true;
        if (c->phase == PHASE_READING)
            connection_end(c);
    }
}

static void drop_listeners(struct admin *a, const struct listen_list *keep)
{
    size_t kept = 0;

    for (size_t i = 0; i < a->n_listeners; i++) {
        if (listed(keep, listener_address(a->listeners[i])->text))
            a->listeners[kept++] = a->listeners[i];
        else
            listener_free(a->listeners[i]);
    }
    a->n_listeners = kept;
    end_connections(a, keep);
}

/* Makes listeners for the addresses that have none, but does not start them. 0 or -ENOMEM. */
static int make_listeners(struct admin *a, const struct listen_list *list, bool quiet,
                          struct listener **fresh, size_t *ret_n)
{
    size_t n = 0;

    for (size_t i = 0; i < list->n; i++) {
        if (find_listener(a, list->items[i].text))
            continue;
        if (listener_new(a->event, &list->items[i], quiet, on_accepted, a, &fresh[n]) < 0) {
            while (n > 0)
                listener_free(fresh[--n]);
            return -ENOMEM;
        }
        n++;
    }
    *ret_n = n;
    return 0;
}

int admin_set(struct admin *a, const struct web_config *web)
{
    char *token_file = web->bearer_token_file ? strdup(web->bearer_token_file) : NULL;
    struct listener *fresh[LISTEN_MAX];
    struct listen_list list = {0};
    const char *why = NULL;
    bool quiet = strcmp(web->listen_address, LISTEN_DEFAULT) == 0;
    size_t n = 0;
    int r;

    if (web->bearer_token_file && !token_file)
        return -ENOMEM;
    r = listen_parse_list(web->listen_address, &list, &why);
    if (r == 0)
        r = make_listeners(a, &list, quiet, fresh, &n);
    if (r < 0) {
        free(token_file);
        return r;
    }
    free(a->token_file);
    a->token_file = token_file;
    a->token_failed = false;
    drop_listeners(a, &list);
    for (size_t i = 0; i < a->n_listeners; i++)
        listener_set_quiet(a->listeners[i], quiet);
    for (size_t i = 0; i < n; i++) {
        a->listeners[a->n_listeners++] = fresh[i];
        listener_start(fresh[i]);
    }
    return 0;
}

static int start_server(struct admin *a)
{
    const union MHD_DaemonInfo *info;
    int r;

    /* MHD_start_daemon returns no error code, but leaves errno of the system call that failed. */
    errno = 0;
    a->mhd = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
        NULL, NULL, call_on_request, a, MHD_OPTION_EXTERNAL_LOGGER, on_server_log, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, a, MHD_OPTION_NOTIFY_COMPLETED,
        call_on_completed, a, MHD_OPTION_UNESCAPE_CALLBACK, call_unescape, a,
        MHD_OPTION_URI_LOG_CALLBACK, call_on_uri, a, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTION_SLOTS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)ADMIN_REPLY_STALL, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
    if (!a->mhd)
        return errno > 0 ? -errno : -EIO;
    info = MHD_get_daemon_info(a->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info)
        return -EIO;
    r = sd_event_add_io(a->event, &a->io, info->epoll_fd, EPOLLIN, on_server, a);
    if (r >= 0)
        r = sd_event_add_time(a->event, &a->timer, CLOCK_MONOTONIC, 0, SERVER_ACCURACY,
                              on_server_timer, a);
    if (r >= 0)
        r = sd_event_source_set_enabled(a->timer, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_time(a->event, &a->sweep, CLOCK_MONOTONIC, 0, SWEEP_ACCURACY, on_sweep, a);
    if (r >= 0)
        r = sd_event_source_set_enabled(a->sweep, SD_EVENT_OFF);
    return r < 0 ? r : 0;
}

int admin_new(sd_event *event, const struct admin_route *routes, size_t n, void *userdata,
              struct admin **ret)
{
    struct admin *a = calloc(1, sizeof(*a));
    int r;

    if (!a)
        return -ENOMEM;
    a->event = sd_event_ref(event);
    a->routes = routes;
    a->n_routes = n;
    a->userdata = userdata;
    for (size_t i = 0; i < CONNECTION_SLOTS; i++)
        a->connections[i].fd = -1;
    r = start_server(a);
    if (r < 0) {
        admin_free(a);
        return r;
    }
    *ret = a;
    return 0;
}

void admin_stop(struct admin *a)
{
    static const struct listen_list none = {0};

    if (a->stopped)
        return;
    a->stopped = true;
    a->stopped_at = admin_now(a);
    admin_sweep_at(a, a->stopped_at + ADMIN_LINGER);
    drop_listeners(a, &none);
    for (size_t i = 0; i < CONNECTION_SLOTS; i++) {
        if (a->connections[i].call)
            call_refuse(a->connections[i].call, STOPPING);
    }
}

bool admin_idle(const struct admin *a)
{
    for (size_t i = 0; i < CONNECTION_SLOTS; i++) {
        enum phase phase = a->connections[i].phase;

        if ((phase == PHASE_WAITING || phase == PHASE_SENDING) && !a->connections[i].dying)
            return false;
    }
    return true;
}

void admin_free(struct admin *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->n_listeners; i++)
        listener_free(a->listeners[i]);
    for (size_t i = 0; i < CONNECTION_SLOTS; i++) {
        if (a->connections[i].call)
            call_abort(a->connections[i].call);
    }
    if (a->mhd)
        MHD_stop_daemon(a->mhd);
    sd_event_source_disable_unref(a->io);
    sd_event_source_disable_unref(a->timer);
    sd_event_source_disable_unref(a->sweep);
    sd_event_unref(a->event);
    free(a->token_file);
    free(a);
}
