/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Finds a target's process: from its pid file, from the peer credentials of a unix socket or, for a
 * TCP port of this machine, from the listening socket in /proc. The pid in a file's name is only a
 * convenience: if it cannot be found, it is 0 without a message.
 */

#include <stdbool.h>
#include <stdint.h>

/* The process that listens at the other end of a connected unix socket (SO_PEERCRED); 0 if
 * unknown. */
uint32_t peer_of_socket(int fd);

/* The pid in the file, which must hold a decimal number and white space only; otherwise 0. */
uint32_t peer_of_pid_file(const char *path);

/* Where the last look-up found the listener. If it is still there, the next look-up skips the
 * search through all processes. */
struct peer_hint {
    uint32_t pid;
    int fd;
};

/*
 * The process that listens on this machine's TCP port. Reads /proc, which may take milliseconds:
 * call it from a disk thread. Uses the hint and updates it. 0 if no process is found, or if
 * /proc/PID/fd may not be read.
 */
uint32_t peer_of_port(uint16_t port, struct peer_hint *hint);
