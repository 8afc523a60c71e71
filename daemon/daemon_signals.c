/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "daemon/daemon_state.h"

static void reload(struct daemon *d)
{
    struct diags diags = {0};

    (void)daemon_reload(d, &diags);
    diags_done(&diags);
}

/* An incident of each target: whoever sends the signal wants to know what is going on. */
static void capture_all(struct daemon *d)
{
    for (size_t i = 0; i < targets_count(d->targets); i++)
        (void)incidents_order(
            d->incidents,
            &(struct incident_order){.target = targets_at(d->targets, i), .reason = REASON_SIGNAL});
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata)
{
    struct daemon *d = userdata;

    (void)s;
    switch (si->ssi_signo) {
    case SIGTERM: daemon_stop(d, "SIGTERM"); return 0;
    case SIGINT: daemon_stop(d, "SIGINT"); return 0;
    default: break;
    }
    if (d->stage != STAGE_RUNNING)
        return 0;
    if (si->ssi_signo == SIGHUP)
        reload(d);
    else if (si->ssi_signo == SIGUSR2)
        suspension_toggle(d->suspension);
    else
        capture_all(d);
    return 0;
}

/*
 * Whoever started contraced may have ignored a signal: nohup does SIGHUP, a shell SIGINT in its
 * background, some supervisors SIGCHLD. The kernel drops an ignored signal even if it is blocked.
 * What contraced does nothing about stays ignored: SIGQUIT, say, in the background of a shell.
 */
static int heed(int number)
{
    struct sigaction present;

    if (sigaction(number, NULL, &present) == 0 && present.sa_handler == SIG_IGN &&
        signal(number, SIG_DFL) == SIG_ERR)
        return -errno;
    return 0;
}

/* Signals are blocked before the first thread starts, so that only the event loop gets them. */
int daemon_take_signals(struct daemon *d)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
    sigset_t set;
    int r;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD); /* sd_event_add_child requires this */
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        (void)sigaddset(&set, signals[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    r = heed(SIGCHLD);
    /* A write beyond the limit of a file's size shall only fail and not end the process. */
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
        return -errno;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]) && r >= 0; i++) {
        r = heed(signals[i]);
        if (r >= 0)
            r = sd_event_add_signal(d->event, NULL, signals[i], on_signal, d);
    }
    return r < 0 ? r : 0;
}
