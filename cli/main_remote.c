/* SPDX-License-Identifier: Apache-2.0 */

/* contrace-remote: the commands of contrace that need libcurl and the libraries of stores. */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/log.h"
#include "cli/common/command.h"
#include "cli/common/screen.h"
#include "lib/store/credential/creddoc.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"advise", command_advise},   {"anonymise", command_anonymise}, {"capture", command_capture},
    {"explain", command_explain}, {"fleet", command_fleet},         {"list", command_list},
    {"pull", command_pull},       {"resume", command_resume},       {"rows", command_rows},
    {"status", command_status},   {"suspend", command_suspend},     {"triggers", command_triggers},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* No core dumps: credentials of the store are in memory. */
static void forbid_dumps(void)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int run(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < N_COMMANDS; i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    complain(COMMAND_REMOTE " does part of the work of contrace; try 'contrace --help'");
    return STATUS_USAGE;
}

/* Gets the same arguments as contrace. A connection that breaks must not end it by SIGPIPE; a reader
 * of its output who goes away does, but not before everything is cleaned up. */
int main(int argc, char **argv)
{
    void (*on_pipe)(int) = signal(SIGPIPE, SIG_IGN);
    int status;

    screen_start();
    forbid_dumps();
    creddoc_setup();
    log_set_format(LOG_FORMAT_TEXT);
    status = run(argc, argv);
    if (status == STATUS_OK && screen_finish() < 0)
        status = STATUS_FAILED;
    if (screen_reader_left()) {
        (void)signal(SIGPIPE, on_pipe);
        (void)raise(SIGPIPE);
    }
    return status;
}
