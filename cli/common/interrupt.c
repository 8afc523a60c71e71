/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/common/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/signalfd.h>

#include "cli/common/screen.h"

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    struct interrupt *i = userdata;

    (void)source;
    i->number = (int)info->ssi_signo;
    return 0;
}

int interrupt_open(struct interrupt *i, sd_event *event)
{
    sigset_t signals;
    int r;

    *i = (struct interrupt){0};
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    r = sd_event_add_signal(event, &i->on_int, SIGINT, on_signal, i);
    if (r >= 0)
        r = sd_event_add_signal(event, &i->on_term, SIGTERM, on_signal, i);
    return r < 0 ? r : 0;
}

int interrupt_wait(struct interrupt *i, sd_event *event)
{
    int r = i->number ? 0 : sd_event_run(event, UINT64_MAX);

    if (i->number)
        return -EINTR;
    if (r < 0)
        complain("cannot wait: %s", strerror(-r));
    return r < 0 ? r : 0;
}

/* Everything is cleaned up: now the signal ends the process as it would have by default. */
static void end_by(int number)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, number);
    (void)signal(number, SIG_DFL);
    (void)raise(number);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void interrupt_close(struct interrupt *i)
{
    i->on_int = sd_event_source_disable_unref(i->on_int);
    i->on_term = sd_event_source_disable_unref(i->on_term);
    if (i->number)
        end_by(i->number);
}
