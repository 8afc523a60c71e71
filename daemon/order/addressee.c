/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/order/addressee.h"

#include <string.h>

#define HOST_SIZE 256

/* Copies the host of "host:port", "[v6]:port" or "host". False: there is none, or it is too
 * long. */
static bool host_of(const char *address, char host[static HOST_SIZE])
{
    const char *end = strrchr(address, ':');
    size_t n;

    if (strncmp(address, "unix:", 5) == 0)
        return false;
    if (*address == '[') {
        address++;
        end = strchr(address, ']');
    }
    n = end ? (size_t)(end - address) : strlen(address);
    if (n == 0 || n >= HOST_SIZE)
        return false;
    memcpy(host, address, n);
    host[n] = '\0';
    return true;
}

/* True if `instance` has the same host as the target's address, with any port, or names the
 * target's host, as when the address is 127.0.0.1. */
static bool same_host(const struct target *t, const char *instance)
{
    char theirs[HOST_SIZE], ours[HOST_SIZE];

    if (!host_of(instance, theirs))
        return false;
    return strcmp(theirs, t->host) == 0 || (host_of(t->address, ours) && strcmp(theirs, ours) == 0);
}

static bool is_theirs(const struct addressee *a, const struct target *t)
{
    if (a->by_service)
        return strcmp(a->service, t->service) == 0;
    return a->job && (strcmp(a->job, t->job->name) == 0 || strcmp(a->job, t->service) == 0);
}

bool addressee_is(const struct addressee *a, const struct target *t)
{
    if (!is_theirs(a, t))
        return false;
    return !a->instance ||
           (a->exact ? strcmp(a->instance, t->address) == 0 : same_host(t, a->instance));
}

void addressee_read(struct addressee *a, struct targets *targets)
{
    a->by_service = a->exact = false;
    for (size_t i = 0; a->service && i < targets_count(targets) && !a->by_service; i++)
        a->by_service = strcmp(targets_at(targets, i)->service, a->service) == 0;
    for (size_t i = 0; a->instance && i < targets_count(targets) && !a->exact; i++)
        a->exact = is_theirs(a, targets_at(targets, i)) &&
                   strcmp(targets_at(targets, i)->address, a->instance) == 0;
}
