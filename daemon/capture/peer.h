/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which process a target is: from its pid file, from the socket's peer credentials, or, for a
 * loopback port, by its listening socket in /proc. A pid is a convenience in a file's name: where
 * it cannot be had, it is 0 and nothing is said.
 */

#include <stdbool.h>
#include <stdint.h>

/* The process that listens behind a connected unix socket (SO_PEERCRED); 0 if it cannot be seen. */
uint32_t peer_of_socket(int fd);

/* A decimal pid and nothing else but white space; 0 if the file says nothing of the kind. */
uint32_t peer_of_pid_file(const char *path);

/* Where the last look-up found the listener: makes the next one a single readlink(2). */
struct peer_hint {
    uint32_t pid;
    int fd;
};

/*
 * The process that listens on this machine's TCP port. Reads /proc and may take milliseconds: call
 * it from a disk thread. The hint is used and brought up to date. 0 if nobody is found, or if
 * /proc/PID/fd may not be read.
 */
uint32_t peer_of_port(uint16_t port, struct peer_hint *hint);
