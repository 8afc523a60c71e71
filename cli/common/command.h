/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What contrace can do: each command is a row of main.c's table, and those that go over the network
 * also one of main_remote.c's. argv[0] is the command's name; what is returned is the exit status.
 */

/* The program for those; beside contrace in a build, in libexec/contrace when installed. */
#define COMMAND_REMOTE "contrace-remote"

enum {
    STATUS_OK = 0,
    STATUS_FAILED = 1, /* something of what was asked for could not be done: said on stderr */
    STATUS_USAGE = 2,
};

struct command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv); /* NULL: contrace-remote does it */
};

int command_capture(int argc, char **argv);
int command_list(int argc, char **argv);
int command_pprof(int argc, char **argv);
int command_pull(int argc, char **argv);
int command_resume(int argc, char **argv);
int command_status(int argc, char **argv);
int command_summary(int argc, char **argv);
int command_suspend(int argc, char **argv);
int command_verify(int argc, char **argv);

/* The exit status for what a command's steps returned: 0; 1: only in part; -EINVAL: the options do
 * not fit together; another negative errno. */
int command_exit(int r);
