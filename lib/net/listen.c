/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/parse.h"

#define UNIX_PREFIX "unix:"
#define FORMS "must be ADDRESS:PORT such as 127.0.0.1:7465, unix:/PATH, or off"

static int refuse(const char **ret_why, const char *why)
{
    *ret_why = why;
    return -EINVAL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int parse_unix(const char *path, struct listen_address *a, const char **ret_why)
{
    if (path[0] == '@')
        return refuse(ret_why, "must not be an abstract socket, to which anybody could connect: "
                               "use unix:/PATH");
    if (path[0] != '/' || path[1] == '\0')
        return refuse(ret_why, "must name a unix socket as unix:/absolute/path");
    if (strlen(path) >= sizeof(a->sa.un.sun_path))
        return refuse(ret_why, "has a path for a unix socket of more than 107 bytes");
    for (const char *p = path; *p; p++) {
        if (*p <= ' ' || *p >= 0x7f)
            return refuse(ret_why, "has a path with blanks, control characters or letters outside "
                                   "ASCII");
    }
    a->sa.un.sun_family = AF_UNIX;
    memcpy(a->sa.un.sun_path, path, strlen(path) + 1);
    a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
    a->local = true;
    return 0;
}

static int parse_host(const char *host, uint16_t port, struct listen_address *a,
                      const char **ret_why)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    if (inet_pton(AF_INET, host, &v4) == 1) {
        a->sa.v4 =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = v4};
        a->len = sizeof(a->sa.v4);
        a->local = (ntohl(v4.s_addr) >> 24) == 127;
        return 0;
    }
    if (host[0] == '\0')
        v6 = in6addr_any;
    else if (inet_pton(AF_INET6, host, &v6) != 1)
        return refuse(ret_why, "has a name, which is not looked up: give an address of this "
                               "machine, or :PORT for all of them");
    a->sa.v6 =
        (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = v6};
    a->len = sizeof(a->sa.v6);
    a->local = IN6_IS_ADDR_LOOPBACK(&v6);
    return 0;
}

/* Splits "[v6]:port", "v4:port" and ":port". */
static int parse_tcp(const char *text, struct listen_address *a, const char **ret_why)
{
    char host[INET6_ADDRSTRLEN + 2];
    const char *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;
    uint64_t port;

    if (strstr(text, "://"))
        return refuse(ret_why, "takes no URL: give ADDRESS:PORT, such as 127.0.0.1:7465");
    if (!colon)
        return refuse(ret_why, FORMS);
    if (colon[1] == ']' || (text[0] == '[' && text[n - 1] != ']'))
        return refuse(ret_why, "has no port: [::1]:7465");
    if (text[0] != '[' && memchr(text, ':', n))
        return refuse(ret_why, "needs brackets around an IPv6 address: [::1]:7465");
    if (parse_unsigned(colon + 1, 65535, &port) < 0)
        return refuse(ret_why, "needs a port from 0 (any free one) to 65535");
    if (text[0] == '[') {
        text++;
        n -= 2;
        if (!memchr(text, ':', n))
            return refuse(ret_why, "has in brackets what is no IPv6 address");
    }
    if (n >= sizeof(host))
        return refuse(ret_why, FORMS);
    memcpy(host, text, n);
    host[n] = '\0';
    return parse_host(host, (uint16_t)port, a, ret_why);
}

int listen_parse(const char *text, struct listen_address *ret, const char **ret_why)
{
    struct listen_address a = {0};
    int r;

    if (strlen(text) >= sizeof(a.text))
        return refuse(ret_why, FORMS);
    memcpy(a.text, text, strlen(text) + 1);
    if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
        r = parse_unix(text + strlen(UNIX_PREFIX), &a, ret_why);
    else
        r = parse_tcp(text, &a, ret_why);
    if (r == 0)
        *ret = a;
    return r;
}

static int add(struct listen_list *list, const char *text, size_t n, const char **ret_why)
{
    char one[LISTEN_TEXT_SIZE];

    while (n > 0 && is_blank(*text))
        text++, n--;
    while (n > 0 && is_blank(text[n - 1]))
        n--;
    if (n == 0)
        return refuse(ret_why, "has nothing before or after a comma");
    if (list->n == LISTEN_MAX)
        return refuse(ret_why, "has more than 16 addresses");
    if (n >= sizeof(one))
        return refuse(ret_why, FORMS);
    memcpy(one, text, n);
    one[n] = '\0';
    if (strcmp(one, "off") == 0)
        return refuse(ret_why, "must be `off` alone, or addresses");
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->items[i].text, one) == 0)
            return refuse(ret_why, "has an address twice");
    }
    return listen_parse(one, &list->items[list->n++], ret_why);
}

int listen_parse_list(const char *text, struct listen_list *ret, const char **ret_why)
{
    struct listen_list list = {0};

    if (strcmp(text, "off") == 0) {
        *ret = list;
        return 0;
    }
    for (;;) {
        size_t n = strcspn(text, ",");
        int r = add(&list, text, n, ret_why);

        if (r < 0)
            return r;
        if (text[n] == '\0')
            break;
        text += n + 1;
    }
    *ret = list;
    return 0;
}

const struct listen_address *listen_list_exposed(const struct listen_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        if (!list->items[i].local)
            return &list->items[i];
    }
    return NULL;
}
