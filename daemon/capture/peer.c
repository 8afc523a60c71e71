/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/peer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/parse.h"

#define PID_FILE_MAX 64
#define BLANKS " \t\r\n"
#define PID_MAX 4194304 /* proc(5), /proc/sys/kernel/pid_max on 64-bit machines */
#define TCP_LISTEN 0x0a /* include/net/tcp_states.h, as printed in /proc/net/tcp */

uint32_t peer_of_socket(int fd)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 || cred.pid <= 0)
        return 0;
    return (uint32_t)cred.pid;
}

uint32_t peer_of_pid_file(const char *path)
{
    uint64_t pid = 0;
    struct buf b;

    buf_init(&b, PID_FILE_MAX);
    if (buf_read_file(&b, path) == 0 && b.len > 0) {
        size_t digits = strcspn(b.data, BLANKS);

        if (digits + strspn(b.data + digits, BLANKS) != b.len)
            digits = 0; /* there is more than the number */
        b.data[digits] = '\0';
        if (parse_unsigned(b.data, PID_MAX, &pid) < 0)
            pid = 0;
    }
    buf_done(&b);
    return (uint32_t)pid;
}

/*
 * The inode of the socket that listens on the port, read from the table /proc/net/tcp or tcp6. 0 if
 * there is none.
 */
static uint64_t listener_inode(const char *table, uint16_t port)
{
    _cleanup_fclose_ FILE *f = fopen(table, "re");
    char line[512];

    if (!f)
        return 0;
    while (fgets(line, sizeof(line), f)) {
        unsigned local_port, state;
        uint64_t inode;

        if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*u %*u %" SCNu64,
                   &local_port, &state, &inode) == 3 &&
            state == TCP_LISTEN && local_port == port)
            return inode;
    }
    return 0;
}

/* Whether descriptor `fd` in the directory /proc/PID/fd is the socket with this inode. */
static bool is_socket(int dir, const char *fd, uint64_t inode)
{
    char target[64], want[64];
    ssize_t n = readlinkat(dir, fd, target, sizeof(target) - 1);

    if (n < 0)
        return false;
    target[n] = '\0';
    (void)snprintf(want, sizeof(want), "socket:[%" PRIu64 "]", inode);
    return strcmp(target, want) == 0;
}

/* The descriptor of the socket in this process, or -1. */
static int find_socket(const char *pid, uint64_t inode)
{
    char path[64];
    DIR *dir;
    int found = -1;

    (void)snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
    dir = opendir(path);
    if (!dir)
        return -1;
    for (struct dirent *e; found < 0 && (e = readdir(dir));) {
        if (e->d_name[0] != '.' && is_socket(dirfd(dir), e->d_name, inode))
            found = atoi(e->d_name);
    }
    (void)closedir(dir);
    return found;
}

static bool hint_holds(const struct peer_hint *hint, uint64_t inode)
{
    char path[64];

    if (hint->pid == 0)
        return false;
    (void)snprintf(path, sizeof(path), "/proc/%u/fd/%d", hint->pid, hint->fd);
    return is_socket(AT_FDCWD, path, inode);
}

uint32_t peer_of_port(uint16_t port, struct peer_hint *hint)
{
    uint64_t inode = listener_inode("/proc/net/tcp", port);
    DIR *proc;

    if (inode == 0)
        inode = listener_inode("/proc/net/tcp6", port);
    if (inode == 0)
        return 0;
    if (hint_holds(hint, inode))
        return hint->pid;
    *hint = (struct peer_hint){0};
    proc = opendir("/proc");
    if (!proc)
        return 0;
    for (struct dirent *e; hint->pid == 0 && (e = readdir(proc));) {
        uint64_t pid;
        int fd;

        if (parse_unsigned(e->d_name, PID_MAX, &pid) < 0)
            continue;
        fd = find_socket(e->d_name, inode);
        if (fd >= 0)
            *hint = (struct peer_hint){.pid = (uint32_t)pid, .fd = fd};
    }
    (void)closedir(proc);
    return hint->pid;
}
