/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/read/tracefile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/write.h"
#include "cli/common/command.h"

#define COPY_SIZE (1u << 20)

const char *tracefile_called(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

int tracefile_open(const char *path)
{
    int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                    : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    return fd < 0 ? -errno : fd;
}

int tracefile_unnamed(void *userdata)
{
    const char *const places[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
    int fd = -1;

    (void)userdata;
    for (size_t i = 0; fd < 0 && i < sizeof(places) / sizeof(places[0]); i++)
        if (places[i])
            fd = open(places[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        fd = memfd_create("trace", MFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* Copies what cannot be read twice to an unlinked file. The descriptor, or a negative errno. */
static int open_copy(int from)
{
    _cleanup_close_ int to = tracefile_unnamed(NULL);
    _cleanup_free_ char *buffer = malloc(COPY_SIZE);
    ssize_t n;

    if (to < 0)
        return to;
    if (!buffer)
        return -ENOMEM;
    while ((n = read(from, buffer, COPY_SIZE)) != 0) {
        int r = 0;

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            r = write_all(to, buffer, (size_t)n);
        if (r < 0)
            return r;
    }
    if (lseek(to, 0, SEEK_SET) < 0)
        return -errno;
    return steal_fd(&to);
}

int tracefile_open_again(const char *path)
{
    _cleanup_close_ int fd = tracefile_open(path);

    if (fd < 0)
        return fd;
    return lseek(fd, 0, SEEK_SET) == 0 ? steal_fd(&fd) : open_copy(fd);
}

/* The process ends here; this message is all it can say. */
static void went_away(int number)
{
    static const char text[] = "contrace: the trace was cut, or could not be read, meanwhile\n";

    (void)number;
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    _exit(STATUS_FAILED);
}

void tracefile_may_go_away(void)
{
    (void)signal(SIGBUS, went_away);
}
