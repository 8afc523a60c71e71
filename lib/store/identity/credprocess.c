/* SPDX-License-Identifier: Apache-2.0 */

/*
 * credential_process: a program that prints credentials. It runs without a shell, as this user,
 * with our environment and our confinement, for at most a minute.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/process/child.h"
#include "lib/store/credential/creddoc.h"
#include "lib/store/identity/credplan.h"
#include "lib/store/identity/credservice.h"

#define PROCESS_TIMEOUT USEC_PER_MIN

/* Finds the program as execvp(3) does. A name with a slash is taken as it is, without a check. */
static int find_program(const char *name, char path[static PATH_MAX])
{
    const char *dirs = getenv("PATH");

    if (strchr(name, '/'))
        return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX ? 0 : -ENAMETOOLONG;
    for (const char *dir = dirs ? dirs : "/usr/bin:/bin"; *dir;) {
        size_t n = strcspn(dir, ":");

        if (n > 0 && snprintf(path, PATH_MAX, "%.*s/%s", (int)n, dir, name) < PATH_MAX &&
            access(path, X_OK) == 0)
            return 0;
        dir += n + (dir[n] == ':');
    }
    return -ENOENT;
}

/* The error for a program that did not exit with status 0. */
static int refuse_end(struct credremote *c, const struct child_result *result)
{
    char said[CREDSERVICE_TEXT_SIZE];
    struct buf text;

    buf_over(&text, said, sizeof(said));
    redact_text(NULL, REDACT_KEYS | REDACT_PAIRS, result->errors, strlen(result->errors),
                sizeof(said), &text);
    switch (result->end) {
    case CHILD_EXITED:
        return credservice_refuse(c, -EPERM, "credential_process exits with status %d%s%s",
                                  result->status, said[0] ? ": " : "", said);
    case CHILD_SIGNALLED:
        return credservice_refuse(c, -EPERM, "credential_process is ended by signal %d",
                                  result->status);
    case CHILD_TIMEOUT:
        return credservice_refuse(c, -EAGAIN, "credential_process has not ended within a minute");
    case CHILD_ENDLESS: return credservice_refuse(c, -EINVAL, "credential_process prints too much");
    case CHILD_UNREADABLE: break;
    }
    return credservice_refuse(c, -ENOMEM, "%s", strerror(ENOMEM));
}

static void on_done(void *userdata, const struct child_result *result)
{
    struct credremote *c = userdata;
    char why[CREDSERVICE_TEXT_SIZE] = "";
    struct secret_set set;
    int r;

    c->child = NULL; /* it is freed behind us */
    secret_init(&set);
    if (result->end != CHILD_EXITED || result->status != 0) {
        r = refuse_end(c, result);
    } else {
        r = creddoc_parse_process(buf_str(result->output), result->output->len, &set, why,
                                  sizeof(why));
        if (r < 0)
            (void)credservice_refuse(c, r, "credential_process: %s", why);
    }
    c->ended(c, r, &set);
    secret_done(&set);
}

/* sd-event learns of children by SIGCHLD, which must be blocked for that. If it is ignored, as
 * whoever started us may have left it, the kernel tells nobody how a child ended. */
static void take_sigchld(void)
{
    struct sigaction present;
    sigset_t set;

    if (sigaction(SIGCHLD, NULL, &present) == 0 && present.sa_handler == SIG_IGN)
        (void)signal(SIGCHLD, SIG_DFL);

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static int run(struct credremote *c, char *line)
{
    static const struct child_limits limits = {.timeout = PROCESS_TIMEOUT, .trusted = true};
    _cleanup_close_ int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    char *words[CREDPLAN_WORDS_MAX + 1], path[PATH_MAX];
    int r = credplan_split(line, words);

    if (r < 0)
        return credservice_refuse(c, r,
                                  "credential_process is no command line: a quote that is "
                                  "not closed, no word, or more than 64");
    r = nothing < 0 ? -errno : find_program(words[0], path);
    if (r == 0) {
        const char *name = words[0];

        take_sigchld();
        words[0] = path;
        r = child_start(c->event, (const char *const *)words, nothing, &limits, on_done, c,
                        &c->child);
        words[0] = (char *)name;
    }
    if (r < 0)
        return credservice_refuse(c, r, "credential_process cannot run %s: %s", words[0],
                                  strerror(-r));
    return 0;
}

static int ask_process(struct credremote *c)
{
    const char *command = credservice_text(c, CREDSTEP_COMMAND);
    _cleanup_secret_ char *line = secret_strndup(command, strlen(command));

    return line ? run(c, line) : credservice_refuse(c, -ENOMEM, "%s", strerror(ENOMEM));
}

/* This source has no document that comes over HTTP. */
static int parse_nothing(struct credremote *c, const struct fetch_reply *reply,
                         struct secret_set *ret, char *why, size_t why_size)
{
    (void)c, (void)reply, (void)ret, (void)why, (void)why_size;
    return -EINVAL;
}

const struct credservice credservice_process = {
    .name = "credential_process",
    .ask = ask_process,
    .parse = parse_nothing,
};
