/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/parse.h"

#define HOST_MAX 253 /* RFC 1035 */
#define UNIX_PATH_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)
#define UNIX_PREFIX "unix:"

void address_done(struct address *a)
{
    free(a->host);
    free(a->unix_path);
    *a = (struct address){0};
}

static int refuse(const char **ret_why, const char *why)
{
    *ret_why = why;
    return -EINVAL;
}

/* Characters allowed in an address or a URL: printable ASCII without blanks. */
static bool is_plain(const char *text)
{
    for (; *text; text++) {
        if (*text <= ' ' || *text >= 0x7f)
            return false;
    }
    return true;
}

static int parse_unix(const char *path, struct address *ret, const char **ret_why)
{
    struct address a = {0};

    while (path[0] == '/' && path[1] == '/')
        path++;
    if (path[0] != '/' && path[0] != '@')
        return refuse(ret_why, "a unix socket is unix:/absolute/path or unix:@abstract-name");
    if (path[1] == '\0')
        return refuse(ret_why, "the unix socket has no name");
    if (strlen(path) > UNIX_PATH_MAX)
        return refuse(ret_why, "the path of a unix socket has at most 107 bytes");
    if (!is_plain(path))
        return refuse(ret_why, "blanks, control characters and letters outside ASCII are not "
                               "allowed in an address");
    a.unix_path = strdup(path);
    if (!a.unix_path)
        return -ENOMEM;
    *ret = a;
    return 0;
}

/* Text that shows that something else was meant; NULL: none. */
static const char *misunderstanding(const char *text)
{
    if (strchr(text, '@'))
        return "a target is host:port; a user name belongs into `basic_auth`";
    if (strstr(text, "://"))
        return "a target is host:port; the scheme belongs into `scheme`";
    if (strchr(text, '/'))
        return "a target is host:port; the path belongs into `path`";
    if (!is_plain(text))
        return "blanks, control characters and letters outside ASCII are not allowed in an address";
    if (text[0] != '[' && strchr(text, ':') != strrchr(text, ':'))
        return "an IPv6 address stands in brackets: [2001:db8::1]:6060 (from a variable: "
               "[${NAME}]:6060, which may be an IPv4 address, too)";
    return NULL;
}

static int parse_port(const char *text, uint16_t *ret_port, const char **ret_why)
{
    uint64_t port;

    if (*text == '\0')
        return refuse(ret_why, "the port is missing after the colon");
    if (parse_unsigned(text, 65535, &port) < 0 || port == 0)
        return refuse(ret_why, "the port is a number from 1 to 65535");
    *ret_port = (uint16_t)port;
    return 0;
}

static const char *check_name(const char *host)
{
    struct in_addr v4;
    size_t len = strlen(host);

    if (len == 0)
        return "the host is missing";
    if (len > HOST_MAX)
        return "a host name has at most 253 characters";
    for (const char *p = host; *p; p++) {
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", *p))
            return "a host name has only letters, digits, dots, hyphens and underscores";
    }
    if (host[0] == '-' || host[0] == '.' || strstr(host, ".."))
        return "a host name begins with a letter or digit and has no empty parts";
    if (host[strspn(host, "0123456789.")] == '\0' && inet_pton(AF_INET, host, &v4) != 1)
        return "not an IPv4 address";
    return NULL;
}

static int parse_tcp(const char *text, struct address *ret, const char **ret_why)
{
    struct address a = {0};
    _cleanup_free_ char *host = NULL;
    const char *rest, *why = NULL;

    if (text[0] == '[') {
        struct in6_addr v6;
        struct in_addr v4;

        rest = strchr(text, ']');
        if (!rest)
            return refuse(ret_why, "the bracket of the IPv6 address is not closed");
        host = strndup(text + 1, (size_t)(rest - text) - 1);
        rest++;
        /* IPv4 is accepted, too: a variable in the brackets may hold either kind, depending on
         * the machine. */
        if (host && inet_pton(AF_INET6, host, &v6) != 1 && inet_pton(AF_INET, host, &v4) != 1)
            why = "not an IPv6 address in the brackets";
        else if (*rest != '\0' && *rest != ':')
            why = "after the bracket there may be only :port";
    } else {
        rest = strchrnul(text, ':');
        host = strndup(text, (size_t)(rest - text));
        if (host)
            why = check_name(host);
    }
    if (!host)
        return -ENOMEM;
    if (why)
        return refuse(ret_why, why);
    if (*rest == ':' && parse_port(rest + 1, &a.port, ret_why) < 0)
        return -EINVAL;
    a.host = steal(&host);
    *ret = a;
    return 0;
}

int address_parse(const char *text, struct address *ret, const char **ret_why)
{
    const char *why;

    if (*text == '\0')
        return refuse(ret_why, "the address is empty");
    if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
        return parse_unix(text + strlen(UNIX_PREFIX), ret, ret_why);
    why = misunderstanding(text);
    if (why)
        return refuse(ret_why, why);
    return parse_tcp(text, ret, ret_why);
}

bool address_is_local(const struct address *a)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (a->unix_path)
        return true;
    if (!a->host)
        return false;
    if (strcasecmp(a->host, "localhost") == 0 || strcasecmp(a->host, "localhost.") == 0)
        return true;
    if (inet_pton(AF_INET, a->host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, a->host, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
    return false;
}

/* The length of a URL's scheme with "://", and its lower-case name. */
static size_t match_scheme(const char *url, const char **ret_name)
{
    static const char *const names[] = {"http", "https"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t len = strlen(names[i]);

        if (strncasecmp(url, names[i], len) == 0 && strncmp(url + len, "://", 3) == 0) {
            *ret_name = names[i];
            return len + 3;
        }
    }
    return 0;
}

/* The parts of a URL. The path is empty for none and for "/". */
struct parts {
    const char *scheme;
    const char *address;
    size_t address_len;
    const char *path;
};

static const char *split(const char *url, struct parts *ret)
{
    struct parts p = {.scheme = "http", .address = url, .address_len = strlen(url), .path = ""};
    size_t skip;

    if (strncmp(url, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0) {
        *ret = p;
        return NULL;
    }
    if (!is_plain(url))
        return "blanks, control characters and letters outside ASCII are not allowed in a URL";
    skip = match_scheme(url, &p.scheme);
    if (skip == 0)
        return "a target begins with http://, https:// or unix:";
    p.address = url + skip;
    p.address_len = strcspn(p.address, "/?#");
    p.path = p.address + p.address_len;
    if (memchr(p.address, '@', p.address_len))
        return "user names and passwords do not belong into a URL: use basic_auth in the "
               "configuration file";
    if (strpbrk(p.path, "?#"))
        return "a target's URL has no query and no fragment";
    if (strcmp(p.path, "/") == 0)
        p.path = "";
    *ret = p;
    return NULL;
}

int address_split_url(const char *url, char **ret_scheme, char **ret_address, char **ret_path,
                      const char **ret_why)
{
    _cleanup_free_ char *scheme = NULL, *address = NULL, *path = NULL;
    struct address parsed;
    struct parts p;
    const char *why = split(url, &p);
    int r;

    if (why)
        return refuse(ret_why, why);
    scheme = strdup(p.scheme);
    address = strndup(p.address, p.address_len);
    if (!scheme || !address)
        return -ENOMEM;
    if (*p.path) {
        path = strdup(p.path);
        if (!path)
            return -ENOMEM;
    }
    r = address_parse(address, &parsed, ret_why);
    if (r < 0)
        return r;
    address_done(&parsed);
    *ret_scheme = steal(&scheme);
    *ret_address = steal(&address);
    *ret_path = steal(&path);
    return 0;
}

const char *address_check_path(const char *path)
{
    if (path[0] != '/')
        return "must begin with /";
    for (const char *p = path; *p; p++) {
        if (*p <= ' ' || *p >= 0x7f)
            return "has a blank or a letter outside ASCII: write it as %XX";
        if (*p == '?' || *p == '#')
            return "must not contain ? or #: contraced adds `seconds` by itself";
    }
    return NULL;
}
