/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>

#include "base/log.h"
#include "base/loop.h"
#include "daemon/control/admin_state.h"

usec admin_now(const struct admin *a)
{
    return loop_now(a->event, CLOCK_MONOTONIC);
}

void admin_call_in(struct admin *a, usec time)
{
    if (sd_event_source_set_time_relative(a->timer, time) < 0 ||
        sd_event_source_set_enabled(a->timer, SD_EVENT_ONESHOT) < 0)
        log_error("the admin endpoint's timer cannot be set");
}

/* The server's epoll descriptor becomes readable only by events of sockets. After any other change
 * (a new or resumed connection) the server must be called by this. */
void admin_wake(struct admin *a)
{
    a->again = true;
    admin_call_in(a, 0);
}

void connection_end(struct connection *c)
{
    if (c->phase == PHASE_FREE || c->dying)
        return;
    c->dying = true;
    c->admin->n_alive--;
    (void)shutdown(c->fd, SHUT_RDWR);
}

void call_resume(struct admin_call *call)
{
    if (!call->paused)
        return;
    call->paused = false;
    MHD_resume_connection(call->connection->mhd);
    admin_wake(call->connection->admin);
}

void admin_sweep_at(struct admin *a, usec when)
{
    if (sd_event_source_set_time(a->sweep, when) < 0 ||
        sd_event_source_set_enabled(a->sweep, SD_EVENT_ONESHOT) < 0)
        log_error("the admin endpoint's timer cannot be set");
}

void connection_phase(struct connection *c, enum phase phase)
{
    int on = SD_EVENT_OFF;

    c->phase = phase;
    c->since = admin_now(c->admin);
    if (phase != PHASE_READING && phase != PHASE_TAKING)
        return;
    (void)sd_event_source_get_enabled(c->admin->sweep, &on);
    if (on == SD_EVENT_OFF)
        admin_sweep_at(c->admin, c->since + ADMIN_REQUEST_TIMEOUT);
}

/* If all replies together are too long: the connection with the oldest reply, other than `but`.
 * Else NULL. */
static struct connection *too_much(const struct connection *but)
{
    struct connection *oldest = NULL;
    size_t sum = 0;

    for (size_t i = 0; i < CONNECTION_SLOTS; i++) {
        struct connection *c = &but->admin->connections[i];

        if (c->phase != PHASE_SENDING || c->dying)
            continue;
        sum += c->bytes;
        if (c != but && c->bytes > 0 && (!oldest || c->since < oldest->since))
            oldest = c;
    }
    return sum > ADMIN_REPLIES_MAX ? oldest : NULL;
}

/* Begins to send a reply. Ends the oldest replies if all together are too long, so that clients who
 * ask for much and read little do not fill the memory. */
void connection_send(struct connection *c, size_t bytes)
{
    struct connection *oldest;

    connection_phase(c, PHASE_SENDING);
    c->bytes = bytes;
    while ((oldest = too_much(c)))
        connection_end(oldest);
}
