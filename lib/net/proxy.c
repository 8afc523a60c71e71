/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"

#define ENTRY_SIZE 300 /* of an entry of no_proxy; no host name is longer */
#define ADDRESS_BYTES 16
#define SCHEME_SIZE 16

/* The schemes that Go knows. Go's socks5 lets the proxy look names up; libcurl calls that
 * socks5h. */
static const struct scheme {
    const char *name, *curl;
    uint16_t port;
} schemes[] = {{"http", "http", 80},
               {"https", "https", 443},
               {"socks5", "socks5h", 1080},
               {"socks5h", "socks5h", 1080}};

/* The row of the URL's scheme, http where it has none; NULL: another. *ret_rest is behind "://". */
static const struct scheme *scheme_of(const char *url, const char **ret_rest)
{
    const char *colon = strstr(url, "://");
    size_t n = colon ? (size_t)(colon - url) : 0;

    *ret_rest = colon ? colon + 3 : url;
    if (!colon)
        return &schemes[0];
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (strlen(schemes[i].name) == n && strncasecmp(schemes[i].name, url, n) == 0)
            return &schemes[i];
    }
    return NULL;
}

/* The host starts behind the last '@' before the path, as a password may contain an '@'. */
static const char *behind_user(const char *rest)
{
    size_t n = strcspn(rest, "/?#");
    const char *at = memrchr(rest, '@', n);

    return at ? at + 1 : rest;
}

bool proxy_has_secret(const char *url)
{
    const char *rest;

    (void)scheme_of(url, &rest);
    return strchr(rest, '@') != NULL;
}

/* The parts of a proxy's URL. */
struct parts {
    const struct scheme *scheme;
    const char *user; /* "user:password@", `user_len` bytes */
    size_t user_len;
    struct origin origin;
};

/* Host and port follow the rules of http URLs. */
static int parse(const char *url, struct parts *ret)
{
    struct parts p = {.scheme = scheme_of(url, &p.user)};
    const char *host = behind_user(p.user), *port;
    struct buf text;
    int r;

    p.user_len = (size_t)(host - p.user);
    buf_init(&text, sizeof("http://") + ORIGIN_NAME_SIZE);
    r = p.scheme ? buf_addf(&text, "http://%s", host) : -EINVAL;
    if (r == 0)
        r = origin_parse(buf_str(&text), &p.origin);
    if (r > 0 && (buf_str(&text)[r] == '?' || buf_str(&text)[r] == '#'))
        r = -EINVAL;
    buf_done(&text);
    if (r < 0)
        return r == -ENOMEM ? r : -EINVAL;
    port = host + strlen(p.origin.host);
    if (port[0] != ':' || port[1] < '0')
        p.origin.port = p.scheme->port;
    *ret = p;
    return 0;
}

const char *proxy_check(const char *url)
{
    const char *rest;
    struct parts parts;

    for (const char *p = url; *p; p++) {
        if (*p <= ' ' || *p >= 0x7f)
            return "has a blank or a letter outside ASCII: write it as %XX";
    }
    if (!scheme_of(url, &rest))
        return "must begin with http://, https://, socks5:// or socks5h://";
    return parse(url, &parts) < 0 ? "must be SCHEME://HOST:PORT" : NULL;
}

void proxy_name(const char *url, char out[static PROXY_NAME_SIZE])
{
    struct parts p;

    if (parse(url, &p) < 0)
        (void)snprintf(out, PROXY_NAME_SIZE, "(no URL)");
    else
        (void)snprintf(out, PROXY_NAME_SIZE, "%s://%s:%u", p.scheme->name, p.origin.host,
                       p.origin.port);
}

void proxy_free(char *url)
{
    if (url)
        explicit_bzero(url, strlen(url));
    free(url);
}

/* 4 or 16: the bytes of an address that was written; 0: none was. */
static int parse_address(const char *text, size_t n, unsigned char out[static ADDRESS_BYTES])
{
    char copy[INET6_ADDRSTRLEN];

    if (n > 1 && text[0] == '[' && text[n - 1] == ']') {
        text++;
        n -= 2;
    }
    if (n == 0 || n >= sizeof(copy))
        return 0;
    memcpy(copy, text, n);
    copy[n] = '\0';
    if (inet_pton(AF_INET, copy, out) == 1)
        return 4;
    return inet_pton(AF_INET6, copy, out) == 1 ? 16 : 0;
}

static bool same_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

/* 1 if a CIDR such as "10.0.0.0/8" contains the host, 0 if not, -EINVAL if it is no CIDR. */
static int in_network(const char *entry, const char *host)
{
    unsigned char net[ADDRESS_BYTES], address[ADDRESS_BYTES];
    const char *slash = strchr(entry, '/');
    int bytes = slash ? parse_address(entry, (size_t)(slash - entry), net) : 0;
    unsigned long bits;

    if (bytes == 0 || strspn(slash + 1, "0123456789") != strlen(slash + 1) || !slash[1])
        return -EINVAL;
    bits = strtoul(slash + 1, NULL, 10);
    if (bits > (unsigned long)bytes * 8)
        return -EINVAL;
    return parse_address(host, strlen(host), address) == bytes &&
           same_bits(net, address, (unsigned)bits);
}

/* Removes a port such as ":8080" from the end. False: that is another port than this one. */
static bool port_fits(char *entry, uint16_t port)
{
    char *colon = strrchr(entry, ':');
    bool ipv6 = entry[0] != '[' && colon && strchr(entry, ':') != colon;

    if (!colon || ipv6 || (entry[0] == '[' && colon[-1] != ']'))
        return true;
    *colon = '\0';
    return strtoul(colon + 1, NULL, 10) == port;
}

static bool name_fits(const char *entry, const char *host)
{
    size_t n, m = strlen(host);
    bool itself = true;

    if (strncmp(entry, "*.", 2) == 0)
        entry++;
    if (entry[0] == '.') {
        entry++;
        itself = false;
    }
    n = strlen(entry);
    if (n == 0 || n > m || strcasecmp(host + m - n, entry) != 0)
        return false;
    return n == m ? itself : host[m - n - 1] == '.';
}

static bool entry_fits(char *entry, const char *host, uint16_t port)
{
    unsigned char a[ADDRESS_BYTES], b[ADDRESS_BYTES];
    int r, n;

    if (strcmp(entry, "*") == 0)
        return true;
    r = in_network(entry, host);
    if (r >= 0)
        return r;
    if (!port_fits(entry, port))
        return false;
    n = parse_address(entry, strlen(entry), a);
    if (n > 0)
        return parse_address(host, strlen(host), b) == n && memcmp(a, b, (size_t)n) == 0;
    return name_fits(entry, host);
}

bool proxy_excepts(const char *no_proxy, const char *host, uint16_t port)
{
    static const char between[] = ", \t";
    char entry[ENTRY_SIZE];

    for (const char *p = no_proxy + strspn(no_proxy, between); *p; p += strspn(p, between)) {
        size_t n = strcspn(p, between);

        if (n < sizeof(entry)) {
            memcpy(entry, p, n);
            entry[n] = '\0';
            if (entry_fits(entry, host, port))
                return true;
        }
        p += n;
    }
    return false;
}

static bool is_loopback(const char *host)
{
    static const unsigned char six[ADDRESS_BYTES] = {[15] = 1};
    unsigned char a[ADDRESS_BYTES];
    int n = parse_address(host, strlen(host), a);

    if (strcasecmp(host, "localhost") == 0)
        return true;
    return n == 4 ? a[0] == 127 : n == 16 && memcmp(a, six, sizeof(six)) == 0;
}

/* The first variable that is set and not empty; *ret_name is its name. */
static const char *variable(const char *upper, const char *lower, const char **ret_name)
{
    const char *value = upper ? getenv(upper) : NULL;

    *ret_name = upper;
    if (value && value[0])
        return value;
    *ret_name = lower;
    value = getenv(lower);
    return value && value[0] ? value : NULL;
}

/*
 * In a CGI program HTTP_PROXY is what a client sent as a header called Proxy, and REQUEST_METHOD is
 * set (httpoxy.org).
 */
static const char *of_environment(const struct origin *to, const char **ret_name)
{
    const char *no_proxy = variable("NO_PROXY", "no_proxy", ret_name);
    bool cgi = getenv("REQUEST_METHOD") != NULL;
    const char *url;

    if (is_loopback(to->host))
        return NULL;
    url = to->https ? variable("HTTPS_PROXY", "https_proxy", ret_name)
                    : variable(cgi ? NULL : "HTTP_PROXY", "http_proxy", ret_name);
    return url && no_proxy && proxy_excepts(no_proxy, to->host, to->port) ? NULL : url;
}

/* The URL for libcurl, always with a port: libcurl's default port for proxies is another. */
static int write_url(const struct parts *p, char **ret)
{
    int r = asprintf(ret, "%s://%.*s%s:%u", p->scheme->curl, (int)p->user_len, p->user,
                     p->origin.host, p->origin.port);

    return r < 0 ? -ENOMEM : 0;
}

int proxy_find(const struct proxy *p, const struct origin *to, char **ret, const char **ret_setting,
               char why[static PROXY_WHY_MAX])
{
    const char *name = "proxy_url", *url = p->url, *wrong;
    struct parts parts;

    if (url && p->no_proxy && proxy_excepts(p->no_proxy, to->host, to->port))
        url = NULL;
    else if (!url && p->from_environment)
        url = of_environment(to, &name);
    if (!url) {
        *ret = NULL;
        return 0;
    }
    wrong = proxy_check(url);
    if (wrong) {
        (void)snprintf(why, PROXY_WHY_MAX, "%s %s", name, wrong);
        return -EINVAL;
    }
    if (parse(url, &parts) < 0 || write_url(&parts, ret) < 0)
        return -ENOMEM;
    *ret_setting = name;
    return 0;
}
