/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * credential_process: a program that prints credentials. It is run without a shell, as this user,
 * with this process's environment and within what confines it; it has a minute.
 */

struct credremote;

/* Ends the program of a conversation, if one runs. */
void credprocess_cancel(struct credremote *c);
