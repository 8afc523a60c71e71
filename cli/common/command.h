/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The commands of contrace. Each is a row of the table in main.c; one that uses the network is also
 * a row in main_remote.c. argv[0] is the command's name; the result is the exit status.
 */

/* The program that runs those; in a build tree beside contrace, else in libexec/contrace. */
#define COMMAND_REMOTE "contrace-remote"

enum {
    STATUS_OK = 0,
    STATUS_FAILED = 1, /* something could not be done; stderr says what */
    STATUS_USAGE = 2,
    STATUS_FOUND = 3, /* a condition of --fail-if is true */
};

struct command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv); /* NULL: contrace-remote does it */
};

int command_anonymise(int argc, char **argv);
int command_blockers(int argc, char **argv);
int command_capture(int argc, char **argv);
int command_check(int argc, char **argv);
int command_diff(int argc, char **argv);
int command_advise(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_fleet(int argc, char **argv);
int command_goroutines(int argc, char **argv);
int command_list(int argc, char **argv);
int command_pprof(int argc, char **argv);
int command_pull(int argc, char **argv);
int command_resume(int argc, char **argv);
int command_rows(int argc, char **argv);
int command_schedtrace(int argc, char **argv);
int command_status(int argc, char **argv);
int command_summary(int argc, char **argv);
int command_suspend(int argc, char **argv);
int command_timeline(int argc, char **argv);
int command_tasks(int argc, char **argv);
int command_triggers(int argc, char **argv);
int command_verify(int argc, char **argv);

/* The exit status for what a command's steps returned: 0; 1: only in part; -EINVAL: the options do
 * not fit together; another negative errno. */
int command_exit(int r);
