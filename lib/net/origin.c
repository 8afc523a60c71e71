/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/origin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HTTP_PORT 80
#define HTTPS_PORT 443

static uint16_t own_port(const struct origin *o)
{
    return o->https ? HTTPS_PORT : HTTP_PORT;
}

/* ":8080", ":" or nothing, `n` bytes of it. */
static int parse_port(const char *text, size_t n, struct origin *o)
{
    unsigned long port = 0;

    o->port = own_port(o);
    if (n > 0 && text[0] != ':')
        return -EINVAL;
    if (n < 2)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -EINVAL;
        port = port * 10 + (unsigned long)(text[i] - '0');
        if (port > UINT16_MAX)
            return -EINVAL;
    }
    if (port == 0)
        return -EINVAL;
    o->port = (uint16_t)port;
    return 0;
}

int origin_parse(const char *url, struct origin *ret)
{
    struct origin o = {.https = strncasecmp(url, "https://", 8) == 0};
    const char *host = url + (o.https ? 8 : 7), *end;
    size_t all, n;

    if (!o.https && strncasecmp(url, "http://", 7) != 0)
        return -EINVAL;
    all = strcspn(host, "/?#\\");
    if (memchr(host, '@', all))
        return -EINVAL;
    end = host[0] == '[' ? memchr(host, ']', all) : NULL;
    if (host[0] == '[' && !end)
        return -EINVAL;
    n = end ? (size_t)(end + 1 - host) : strcspn(host, ":/?#\\");
    if (n == 0 || n >= sizeof(o.host) || parse_port(host + n, all - n, &o) < 0)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        if (host[i] <= ' ' || host[i] > '~')
            return -EINVAL;
    }
    memcpy(o.host, host, n);
    *ret = o;
    return (int)(host + all - url);
}

void origin_name(const struct origin *o, char out[static ORIGIN_NAME_SIZE])
{
    size_t n = strcspn(o->host, "%"); /* the zone of an address (%eth0) is for this machine alone */
    const char *close = o->host[0] == '[' && o->host[n] ? "]" : "";

    if (o->port == own_port(o))
        (void)snprintf(out, ORIGIN_NAME_SIZE, "%.*s%s", (int)n, o->host, close);
    else
        (void)snprintf(out, ORIGIN_NAME_SIZE, "%.*s%s:%u", (int)n, o->host, close, o->port);
}
