/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/loop.h"
#include "lib/net/request.h"

/* How often in a stall timeout to check whether any byte moved. */
#define STALL_LOOKS 4

/* curl's timers are exact: a late one would delay a request. */
#define TIMER_ACCURACY USEC_PER_MSEC

struct http {
    sd_event *event;
    CURLM *multi;
    sd_event_source *timer;
    struct http_request *requests;
    char *user_agent;
    size_t kept; /* idle connections, at most */
};

static void drain(struct http *h);
static void finish(struct http_request *r, CURLcode code);
static CURLM *make_multi(struct http *h);

static struct http_request *first_given_up(const struct http *h)
{
    struct http_request *r = h->requests;

    while (r && !r->given_up)
        r = r->next;
    return r;
}

/* Later requests get a multi handle that remembers nothing; begin() tries again if none could be
 * made. */
static void replace_multi(struct http *h)
{
    struct http_request *r;

    for (r = h->requests; r; r = r->next)
        (void)curl_multi_remove_handle(h->multi, r->easy);
    (void)curl_multi_cleanup(h->multi);
    (void)sd_event_source_set_enabled(h->timer, SD_EVENT_OFF);
    h->multi = make_multi(h);
}

/*
 * If memory is short curl stops halfway: a transfer may have lost its socket, and all of them the
 * timer for timeouts. The multi handle cannot be used any more: it remembers sockets by their
 * number, and libcurl 7.88 divides by zero when it meets the same number again. So all running
 * requests end, and later ones use a new multi handle.
 */
static void give_up(struct http *h)
{
    struct http_request *r;

    for (r = h->requests; r; r = r->next)
        r->given_up = true;
    replace_multi(h);
    while ((r = first_given_up(h))) {
        (void)snprintf(r->error, sizeof(r->error), "not enough memory for the transfer");
        finish(r, CURLE_FAILED_INIT);
    }
}

static void act(struct http *h, curl_socket_t fd, int mask)
{
    int running;
    CURLMcode code = curl_multi_socket_action(h->multi, fd, mask, &running);

    drain(h);
    if (code != CURLM_OK)
        give_up(h);
}

static int on_socket_event(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
    struct http *h = userdata;
    int mask = 0;

    (void)s;
    if (revents & (EPOLLIN | EPOLLHUP))
        mask |= CURL_CSELECT_IN;
    if (revents & EPOLLOUT)
        mask |= CURL_CSELECT_OUT;
    if (revents & EPOLLERR)
        mask |= CURL_CSELECT_ERR;
    act(h, fd, mask);
    return 0;
}

static int on_timer(sd_event_source *s, uint64_t now, void *userdata)
{
    struct http *h = userdata;

    (void)s;
    (void)now;
    act(h, CURL_SOCKET_TIMEOUT, 0);
    return 0;
}

static uint32_t epoll_events(int what)
{
    switch (what) {
    case CURL_POLL_IN: return EPOLLIN;
    case CURL_POLL_OUT: return EPOLLOUT;
    case CURL_POLL_INOUT: return EPOLLIN | EPOLLOUT;
    default: return 0;
    }
}

/*
 * Ends only the transfer that would wait for ever. If the callback returned -1, curl would end all
 * present and future transfers of the multi handle.
 */
static void cannot_watch(CURL *easy, int error)
{
    struct http_request *r = NULL;

    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&r);
    if (!r)
        return; /* curl's own sockets, for closing connections; its timer handles them, too */
    (void)snprintf(r->error, sizeof(r->error), "cannot watch the socket: %s", strerror(-error));
    r->unwatched = true;
    (void)sd_event_source_set_enabled(r->failed, SD_EVENT_ONESHOT);
}

/* CURLMOPT_SOCKETFUNCTION: watch this descriptor for these events. curl keeps the event source with
 * its socket. */
static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socketp)
{
    struct http *h = userdata;
    sd_event_source *source = socketp;
    struct http_request *request = NULL;
    int r;

    if (what == CURL_POLL_REMOVE) {
        sd_event_source_disable_unref(source);
        return 0;
    }
    /* A kept connection is not opened again, so its descriptor is learned here. */
    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&request);
    if (request)
        request->fd = fd;
    if (source) {
        r = sd_event_source_set_io_events(source, epoll_events(what));
    } else {
        r = sd_event_add_io(h->event, &source, fd, epoll_events(what), on_socket_event, h);
        if (r >= 0 && curl_multi_assign(h->multi, fd, source) != CURLM_OK) {
            sd_event_source_disable_unref(source);
            r = -ENOMEM;
        }
    }
    if (r < 0)
        cannot_watch(easy, r);
    return 0;
}

/* CURLMOPT_TIMERFUNCTION: call curl in this many milliseconds, or not at all (-1). */
static int on_curl_timer(CURLM *multi, long timeout_ms, void *userdata)
{
    struct http *h = userdata;

    (void)multi;
    if (timeout_ms < 0)
        return sd_event_source_set_enabled(h->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
    if (sd_event_source_set_time_relative(h->timer, (uint64_t)timeout_ms * USEC_PER_MSEC) < 0 ||
        sd_event_source_set_enabled(h->timer, SD_EVENT_ONESHOT) < 0)
        return -1;
    return 0;
}

static void enlist(struct http_request *r)
{
    r->next = r->http->requests;
    if (r->next)
        r->next->prev = r;
    r->http->requests = r;
}

static void delist(struct http_request *r)
{
    if (r->prev)
        r->prev->next = r->next;
    else
        r->http->requests = r->next;
    if (r->next)
        r->next->prev = r->prev;
}

static void request_free(struct http_request *r)
{
    delist(r);
    sd_event_source_disable_unref(r->failed);
    sd_event_source_disable_unref(r->watch);
    if (r->easy)
        (void)curl_multi_remove_handle(r->http->multi, r->easy);
    request_done(r);
    free(r);
}

static void finish(struct http_request *r, CURLcode code)
{
    const struct http_handlers *handlers = r->handlers;
    void *userdata = r->userdata;
    struct http_result result;

    request_result(r, code, &result);
    request_free(r);
    handlers->finished(userdata, &result);
}

/* curl returns CURLE_FAILED_INIT when descriptors or memory are short on our side. */
static int on_failed(sd_event_source *s, void *userdata)
{
    struct http_request *r = userdata;

    (void)s;
    if (r->misdirected) {
        finish(r, CURLE_COULDNT_RESOLVE_PROXY);
        return 0;
    }
    finish(r, r->unwatched ? CURLE_FAILED_INIT : CURLE_WRITE_ERROR);
    return 0;
}

/* Ends all transfers that curl reports as done. */
static void drain(struct http *h)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(h->multi, &left))) {
        struct http_request *r = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&r);
        finish(r, message->data.result);
    }
}

/* A number that changes whenever a byte is received, sent, or leaves the kernel's send queue. */
static uint64_t movement(const struct http_request *r)
{
    curl_off_t up = 0, down = 0;
    long head = 0;
    int queued = 0;

    (void)curl_easy_getinfo(r->easy, CURLINFO_SIZE_UPLOAD_T, &up);
    (void)curl_easy_getinfo(r->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
    (void)curl_easy_getinfo(r->easy, CURLINFO_REQUEST_SIZE, &head);
    if (r->fd >= 0)
        (void)ioctl(r->fd, SIOCOUTQ, &queued);
    return (uint64_t)up + (uint64_t)down + (uint64_t)head + r->header_bytes - (uint64_t)queued;
}

static int on_watch(sd_event_source *s, uint64_t scheduled, void *userdata)
{
    struct http_request *r = userdata;
    uint64_t moved = movement(r);
    usec now = scheduled;

    now = loop_now(r->event, CLOCK_MONOTONIC);
    if (moved != r->moved || r->paused) {
        r->moved = moved;
        r->moved_at = now;
    } else if (now - r->moved_at >= r->stall_timeout) {
        (void)snprintf(r->error, sizeof(r->error), "no byte came or went for %.3g s",
                       (double)r->stall_timeout / (double)USEC_PER_SEC);
        finish(r, CURLE_OPERATION_TIMEDOUT);
        return 0;
    }
    if (sd_event_source_set_time(s, now + r->stall_timeout / STALL_LOOKS) < 0 ||
        sd_event_source_set_enabled(s, SD_EVENT_ONESHOT) < 0)
        finish(r, CURLE_FAILED_INIT);
    return 0;
}

static int watch(struct http_request *r, usec stall_timeout)
{
    if (stall_timeout == 0)
        return 0;
    r->stall_timeout = stall_timeout;
    if (sd_event_now(r->event, CLOCK_MONOTONIC, &r->moved_at) < 0)
        return -ENOMEM;
    return sd_event_add_time(r->event, &r->watch, CLOCK_MONOTONIC,
                             r->moved_at + stall_timeout / STALL_LOOKS, TIMER_ACCURACY, on_watch,
                             r);
}

/* If the proxy's URL is invalid nothing is sent, and finished() tells the error. */
static int begin(struct http *h, struct http_request *r)
{
    if (r->misdirected)
        return sd_event_source_set_enabled(r->failed, SD_EVENT_ONESHOT);
    if (!h->multi)
        h->multi = make_multi(h);
    return curl_multi_add_handle(h->multi, r->easy) == CURLM_OK ? 0 : -ENOMEM;
}

/* Allocated now, because ending a request must not need memory. */
static int prepare_end(struct http_request *r)
{
    int error = sd_event_add_defer(r->event, &r->failed, on_failed, r);

    return error < 0 ? error : sd_event_source_set_enabled(r->failed, SD_EVENT_OFF);
}

int http_start(struct http *h, const struct http_options *options,
               const struct http_handlers *handlers, void *userdata, struct http_request **ret)
{
    struct http_request *r = calloc(1, sizeof(*r));
    int error;

    if (!r)
        return -ENOMEM;
    *r = (struct http_request){.http = h,
                               .event = h->event,
                               .handlers = handlers,
                               .userdata = userdata,
                               .fd = -1,
                               .held_at = UINT64_MAX};
    enlist(r);
    error = request_init(r, h->user_agent, options);
    if (error == 0)
        error = prepare_end(r);
    if (error >= 0)
        error = watch(r, options->stall_timeout);
    if (error >= 0)
        error = begin(h, r);
    if (error < 0) {
        request_free(r);
        return error;
    }
    *ret = r;
    return 0;
}

long http_status(const struct http_request *r)
{
    long status = 0;

    (void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

int http_socket(const struct http_request *r)
{
    return r->fd;
}

void http_cancel(struct http_request *r)
{
    if (r)
        request_free(r);
}

/*
 * curl_easy_pause delivers bytes that curl had kept. If the handler refuses them, only this call
 * returns the error: without ending the transfer here it could wait for ever.
 */
void http_resume(struct http_request *r)
{
    r->paused = false;
    if (curl_easy_pause(r->easy, CURLPAUSE_CONT) != CURLE_OK)
        (void)sd_event_source_set_enabled(r->failed, SD_EVENT_ONESHOT);
}

const char *http_library_version(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}

/* NULL if memory is short. */
static CURLM *make_multi(struct http *h)
{
    CURLM *multi = curl_multi_init();

    if (multi && curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)h->kept) == CURLM_OK &&
        curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket) == CURLM_OK &&
        curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, h) == CURLM_OK &&
        curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_curl_timer) == CURLM_OK &&
        curl_multi_setopt(multi, CURLMOPT_TIMERDATA, h) == CURLM_OK)
        return multi;
    (void)curl_multi_cleanup(multi);
    return NULL;
}

int http_new(sd_event *event, const char *user_agent, struct http **ret)
{
    struct http *h;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return -EIO;
    h = calloc(1, sizeof(*h));
    if (!h) {
        curl_global_cleanup();
        return -ENOMEM;
    }
    h->event = sd_event_ref(event);
    h->kept = HTTP_KEPT;
    h->user_agent = strdup(user_agent);
    h->multi = make_multi(h);
    if (!h->user_agent || !h->multi ||
        sd_event_add_time(event, &h->timer, CLOCK_MONOTONIC, 0, TIMER_ACCURACY, on_timer, h) < 0 ||
        sd_event_source_set_enabled(h->timer, SD_EVENT_OFF) < 0) {
        http_free(h);
        return -ENOMEM;
    }
    *ret = h;
    return 0;
}

void http_keep(struct http *h, size_t n)
{
    h->kept = n;
    if (h->multi)
        (void)curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)n);
}

void http_free(struct http *h)
{
    if (!h)
        return;
    if (h->multi)
        (void)curl_multi_cleanup(h->multi);
    sd_event_source_disable_unref(h->timer);
    sd_event_unref(h->event);
    free(h->user_agent);
    free(h);
    curl_global_cleanup();
}
