/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/common/command.h"
#include "cli/common/screen.h"
#include "config.h"

/*
 * Commands that ask a store or the daemon need some forty libraries, and loading those takes as
 * long as reading a small trace. So these commands (NULL here) are run by contrace-remote.
 */
static const struct command commands[] = {
    {"status", "show how contraced is and what it does", NULL},
    {"triggers", "show the rules that make incidents, and what they see", NULL},
    {"capture", "take traces now", NULL},
    {"suspend", "stop captures by the schedule", NULL},
    {"resume", "go on with them", NULL},
    {"list", "show the traces that are kept, here and in the store", NULL},
    {"pull", "bring traces here", NULL},
    {"rows", "make rows of the records, for databases", NULL},
    {"fleet", "ask the rows of all hosts", NULL},
    {"explain", "say on one screen what is wrong, and why", NULL},
    {"advise", "say what of a program's capacity to change, and what not", NULL},
    {"summary", "say what a trace shows", command_summary},
    {"check", "fail if a trace shows what it must not", command_check},
    {"diff", "say what differs between traces, beyond their spread", command_diff},
    {"goroutines", "say what goroutines did, by start function", command_goroutines},
    {"timeline", "show a trace's time line by line", command_timeline},
    {"tasks", "show the slowest tasks, as trees, and what their time was made of", command_tasks},
    {"blockers", "say who kept goroutines waiting, for how long, and why", command_blockers},
    {"pprof", "write a trace's profile for 'go tool pprof'", command_pprof},
    {"anonymise", "write a copy without the program's names", NULL},
    {"schedtrace", "say what GODEBUG=schedtrace printed into a log", command_schedtrace},
    {"verify", "say whether traces are complete, and save what is whole", command_verify},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

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

/* In a build tree contrace-remote is in the same directory as this program. */
static int find_beside(char path[static PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);
    char *slash;

    if (n < 0 || n == PATH_MAX)
        return -ENOENT;
    path[n] = '\0';
    slash = strrchr(path, '/');
    if (!slash || (size_t)(slash + 1 - path) + sizeof(COMMAND_REMOTE) > PATH_MAX)
        return -ENOENT;
    (void)memcpy(slash + 1, COMMAND_REMOTE, sizeof(COMMAND_REMOTE));
    return access(path, F_OK) < 0 ? -errno : 0;
}

/* Returns only if the program could not be executed. */
static int run_remote(char **argv)
{
    static const char installed[] = CONTRACE_PKGLIBEXECDIR "/" COMMAND_REMOTE;
    char beside[PATH_MAX];
    const char *path = find_beside(beside) == 0 ? beside : installed;

    (void)execv(path, argv);
    complain("%s: cannot run %s: %s", argv[1], path, strerror(errno));
    return STATUS_FAILED;
}

static int run(int argc, char **argv)
{
    static char help_option[] = "--help";
    const char *word = argc > 1 ? argv[1] : "";

    if (strcmp(word, "help") == 0 && argc > 2) { /* 'contrace help list' */
        char *words[] = {argv[0], argv[2], help_option, NULL};

        return run(3, words);
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)
        return help(stdout, STATUS_OK);
    if (strcmp(word, "--version") == 0) {
        (void)printf("contrace %s\n", PACKAGE_VERSION);
        return STATUS_OK;
    }
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(word, commands[i].name) == 0)
            return commands[i].run ? commands[i].run(argc - 1, argv + 1) : run_remote(argv);
    }
    if (argc < 2)
        return help(stderr, STATUS_USAGE);
    complain("'%s' is not a command; try 'contrace --help'", word);
    return STATUS_USAGE;
}

/* Ends by SIGPIPE, as cat does, when nobody reads what it prints. */
int main(int argc, char **argv)
{
    int status;

    screen_start();
    status = run(argc, argv);
    return status == STATUS_OK && screen_finish() < 0 ? STATUS_FAILED : status;
}
