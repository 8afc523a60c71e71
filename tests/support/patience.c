/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The alarm of every unit test program: it ends a test that hangs and says which one that is. Tests
 * have no other time limit, and this one is so long that it ends broken tests, not tests on a busy
 * machine. It is set before main() begins; nothing calls into this file.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 600 /* seconds; no program takes a tenth of it on a quiet machine */
#define GRACE 5

static char last_words[256];

static void on_alarm(int signal)
{
    (void)!write(STDERR_FILENO, last_words, strlen(last_words));
    (void)raise(signal); /* the handler was reset, so the default action ends the program */
}

/* For programs that block all signals, where the alarm does not arrive. */
static void kill_after(unsigned long seconds)
{
    struct sigevent killed = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    struct itimerspec when = {.it_value.tv_sec = (time_t)(seconds > 0 ? seconds + GRACE : 0)};
    timer_t timer;

    if (timer_create(CLOCK_MONOTONIC, &killed, &timer) == 0)
        (void)timer_settime(timer, 0, &when, NULL);
}

__attribute__((constructor)) static void set_alarm(void)
{
    const struct sigaction action = {.sa_handler = on_alarm,
                                     .sa_flags = (int)SA_RESETHAND | SA_NODEFER};
    const char *wanted = getenv("CONTRACE_TEST_LIMIT");
    unsigned long seconds = wanted ? strtoul(wanted, NULL, 10) : PATIENCE;

    (void)snprintf(last_words, sizeof(last_words),
                   "%s: the test above hangs, or this machine takes more than %lu seconds for all: "
                   "CONTRACE_TEST_LIMIT=SECONDS sets another limit, 0 none\n",
                   program_invocation_short_name, seconds);
    (void)sigaction(SIGALRM, &action, NULL);
    (void)alarm((unsigned)seconds);
    kill_after(seconds);
    (void)setvbuf(stdout, NULL, _IOLBF, 0); /* so the log names the test that hangs */
}
