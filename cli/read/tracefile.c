/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/read/tracefile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/common/command.h"

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
