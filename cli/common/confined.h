/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The option --sandbox of commands that contraced runs as children: they read the trace from standard
 * input, and nothing else of the machine (lib/process/sandbox.h).
 */

#define CONFINED_HELP "for contraced: give up all rights but reading standard input"

/* Whether the command's only word is '-', as it must be; else a message. 0 or -EINVAL. */
int confined_check(const char *command, int n, char *const *words);

/* Enters the sandbox. 0; or the exit status after a message. */
int confined_enter(const char *command);

/* The exit status for a command's result, as command_exit, but for a program that reads no
 * messages: it tells what is short, and what is not read. */
int confined_exit(int r);
