/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/screen.h"
#include "config.h"
#include "daemon/upload/creddoc.h"

static const struct command commands[] = {
    {"list", "show the traces that are kept, here and in the store", command_list},
    {"pull", "bring traces here", command_pull},
    {"summary", "say what a trace shows", command_summary},
    {"pprof", "write a trace's profile for 'go tool pprof'", command_pprof},
    {"verify", "say whether traces are complete, and save what is whole", command_verify},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* Credentials of the store pass through memory. */
static void forbid_dumps(void)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int help(FILE *out, int status)
{
    (void)fputs("Usage: contrace COMMAND [OPTIONS]\n"
                "Go execution traces that contraced keeps.\n"
                "\n",
                out);
    for (size_t i = 0; i < N_COMMANDS; i++)
        (void)fprintf(out, "  %-10s  %s\n", commands[i].name, commands[i].summary);
    (void)fputs("\n"
                "  --version   print the version\n"
                "  -h, --help  print this; 'contrace COMMAND --help' says more\n",
                out);
    return status;
}

int command_status(int r)
{
    return r == 0 ? STATUS_OK : r == -EINVAL ? STATUS_USAGE : STATUS_FAILED;
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";

    forbid_dumps();
    creddoc_setup();
    log_set_format(LOG_FORMAT_TEXT);
    (void)signal(SIGPIPE, SIG_IGN);
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)
        return help(stdout, STATUS_OK);
    if (strcmp(word, "--version") == 0) {
        (void)printf("contrace %s\n", PACKAGE_VERSION);
        return STATUS_OK;
    }
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(word, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    if (argc < 2)
        return help(stderr, STATUS_USAGE);
    complain("'%s' is not a command; try 'contrace --help'", word);
    return STATUS_USAGE;
}
