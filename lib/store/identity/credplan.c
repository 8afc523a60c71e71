/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/identity/credplan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/backoff.h"

#define DUE_BEFORE (15 * USEC_PER_MIN)
#define URGENT_BEFORE (10 * USEC_PER_MIN)
#define RETRY_FIRST (5 * USEC_PER_SEC)
#define RETRY_MAX (5 * USEC_PER_MIN)
#define RETRY_MAX_URGENT USEC_PER_MIN

#define HOST_SIZE 256
#define ROLE_MIN 20
#define ROLE_MAX 2048
#define SESSION_MIN 2
#define SESSION_MAX 64
#define WEB_TOKEN_MIN 4
#define WEB_TOKEN_MAX 20000

static int refuse(int error, char *why, size_t why_size, const char *what)
{
    (void)snprintf(why, why_size, "%s", what);
    return error;
}

/* Visible ASCII without characters that URL parsers treat differently. */
static bool is_plain(const char *url)
{
    for (; *url; url++) {
        if (*url <= ' ' || *url > '~' || strchr("\\\"<>^`{|}#", *url))
            return false;
    }
    return true;
}

/* The host without brackets, of "host[:port]" up to the path. 1: an IPv6 address; -EINVAL. */
static int split_host(const char *authority, char host[static HOST_SIZE])
{
    size_t n = strcspn(authority, "/?");
    bool ipv6 = n > 0 && authority[0] == '[';
    const char *start = authority + ipv6, *end, *port;

    if (memchr(authority, '@', n))
        return -EINVAL;
    end = memchr(start, ipv6 ? ']' : ':', n - ipv6);
    if (!end && ipv6)
        return -EINVAL;
    if (!end)
        end = authority + n;
    port = end + ipv6;
    if (end == start || (size_t)(end - start) >= HOST_SIZE)
        return -EINVAL;
    if (port < authority + n && (*port++ != ':' || port == authority + n))
        return -EINVAL;
    if (strspn(port, "0123456789") < (size_t)(authority + n - port) || authority + n - port > 5)
        return -EINVAL;
    memcpy(host, start, (size_t)(end - start));
    host[end - start] = '\0';
    return ipv6;
}

static bool same_ipv6(const struct in6_addr *a, const char *text)
{
    struct in6_addr b;

    return inet_pton(AF_INET6, text, &b) == 1 && memcmp(a, &b, sizeof(b)) == 0;
}

/* Whether a host may be asked without TLS. */
static bool is_local(const char *host, bool ipv6)
{
    struct in6_addr six;
    struct in_addr four;

    if (ipv6)
        return inet_pton(AF_INET6, host, &six) == 1 &&
               (same_ipv6(&six, "::1") || same_ipv6(&six, "fd00:ec2::23"));
    if (strcasecmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &four) != 1)
        return false;
    return ntohl(four.s_addr) >> 24 == 127 || strcmp(host, "169.254.170.2") == 0 ||
           strcmp(host, "169.254.170.23") == 0;
}

static int check_full(const char *url, char *why, size_t why_size)
{
    static const char variable[] = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    bool tls = strncasecmp(url, "https://", 8) == 0;
    bool plain = strncasecmp(url, "http://", 7) == 0;
    char host[HOST_SIZE];
    int r;

    r = tls || plain ? split_host(url + (tls ? 8 : 7), host) : -EINVAL;
    if (r < 0 || !is_plain(url)) {
        (void)snprintf(why, why_size, "%s is not an http or https URL", variable);
        return -EINVAL;
    }
    if (tls || is_local(host, r > 0))
        return 0;
    (void)snprintf(why, why_size,
                   "%s is http to a host that is neither loopback nor a container endpoint",
                   variable);
    return -EPERM;
}

int credplan_container_url(const char *relative, const char *full, char ret[CREDPLAN_URL_SIZE],
                           char *why, size_t why_size)
{
    static const char prefix[] = "http://169.254.170.2";
    const char *tail = relative ? relative : full;
    size_t n = tail ? strlen(tail) : 0;
    int r;

    if (n == 0)
        return refuse(-EINVAL, why, why_size, "the container's endpoint is empty");
    if (n + sizeof(prefix) > CREDPLAN_URL_SIZE)
        return refuse(-EINVAL, why, why_size, "the container endpoint's URL is too long");
    if (relative && (relative[0] != '/' || !is_plain(relative)))
        return refuse(-EINVAL, why, why_size,
                      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not a path");
    r = relative ? 0 : check_full(full, why, why_size);
    if (r == 0)
        (void)snprintf(ret, CREDPLAN_URL_SIZE, "%s%s", relative ? prefix : "", tail);
    return r;
}

/* The addresses of metadata services: 169.254.0.0/16, and Amazon's IPv6 address. */
static bool is_link_local(const char *host, bool ipv6)
{
    struct in6_addr six;
    struct in_addr four;

    if (ipv6)
        return inet_pton(AF_INET6, host, &six) == 1 && same_ipv6(&six, "fd00:ec2::254");
    return inet_pton(AF_INET, host, &four) == 1 && ntohl(four.s_addr) >> 16 == 0xa9fe;
}

int credplan_secret_url(const char *url, bool near, const char *what, char *why, size_t why_size)
{
    bool tls = strncasecmp(url, "https://", 8) == 0;
    bool plain = strncasecmp(url, "http://", 7) == 0;
    char host[HOST_SIZE];
    int r = tls || plain ? split_host(url + (tls ? 8 : 7), host) : -EINVAL;

    if (r < 0 || !is_plain(url) || strlen(url) >= CREDPLAN_URL_SIZE) {
        (void)snprintf(why, why_size, "%s is not an http or https URL", what);
        return -EINVAL;
    }
    if (tls || is_local(host, r > 0) || (near && is_link_local(host, r > 0)))
        return 0;
    (void)snprintf(why, why_size, "%s must be https://: a secret goes there", what);
    return -EPERM;
}

bool credplan_sts_is_global(const char *region)
{
    static const char *const regions[] = {
        "ap-northeast-1", "ap-south-1",   "ap-southeast-1", "ap-southeast-2",
        "aws-global",     "ca-central-1", "eu-central-1",   "eu-north-1",
        "eu-west-1",      "eu-west-2",    "eu-west-3",      "sa-east-1",
        "us-east-1",      "us-east-2",    "us-west-1",      "us-west-2",
    };

    for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
        if (strcmp(region, regions[i]) == 0)
            return true;
    }
    return false;
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~", c));
}

/* Percent-encoding (RFC 3986). Not by buf_addf, which makes a copy that is not wiped. */
int credplan_add(struct buf *form, const char *name, const char *value, size_t n)
{
    static const char hex[] = "0123456789ABCDEF";
    int r = form->len > 0 ? buf_adds(form, "&") : 0;

    if (r == 0)
        r = buf_adds(form, name);
    if (r == 0)
        r = buf_adds(form, "=");
    for (size_t i = 0; r == 0 && i < n; i++) {
        const unsigned char c = (unsigned char)value[i];
        const char encoded[] = {'%', hex[c >> 4], hex[c & 15]};

        r = is_unreserved(value[i]) ? buf_add(form, value + i, 1) : buf_add(form, encoded, 3);
    }
    return r;
}

void credplan_form_init(struct buf *form)
{
    buf_init(form, 3 * (ROLE_MAX + SESSION_MAX + WEB_TOKEN_MAX) + 256);
}

bool credplan_is_session(const char *name)
{
    static const char others[] = "_+=,.@-";
    size_t n = strlen(name);

    for (size_t i = 0; i < n; i++) {
        if (!is_unreserved(name[i]) && !strchr(others, name[i]))
            return false;
    }
    return n >= SESSION_MIN && n <= SESSION_MAX && !strchr(name, '~');
}

bool credplan_is_role(const char *role_arn)
{
    size_t n = strnlen(role_arn, ROLE_MAX + 1);

    return n >= ROLE_MIN && n <= ROLE_MAX;
}

int credplan_form(const char *role_arn, const char *session, const char *token, size_t token_len,
                  struct buf *form)
{
    int r;

    if (!session || !*session)
        session = CREDPLAN_SESSION;
    while (token_len > 0 && strchr(" \t\r\n", token[token_len - 1]))
        token_len--;
    if (!credplan_is_role(role_arn) || !credplan_is_session(session) || token_len < WEB_TOKEN_MIN ||
        token_len > WEB_TOKEN_MAX || memchr(token, '\0', token_len))
        return -EINVAL;
    r = buf_adds(form, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15");
    if (r == 0)
        r = credplan_add(form, "RoleArn", role_arn, strlen(role_arn));
    if (r == 0)
        r = credplan_add(form, "RoleSessionName", session, strlen(session));
    if (r == 0)
        r = credplan_add(form, "WebIdentityToken", token, token_len);
    return r;
}

/* Copies one word from *from to *to and advances both. False: a quote is not closed. */
static bool split_word(char **from, char **to)
{
    char quote = '\0', c;

    for (; (c = **from) != '\0' && (quote || !strchr(" \t", c)); (*from)++) {
        if (c == quote) {
            quote = '\0';
        } else if (!quote && (c == '"' || c == '\'')) {
            quote = c;
        } else if (c == '\\' && quote != '\'' && (*from)[1] &&
                   (!quote || strchr("\"\\", (*from)[1]))) {
            *(*to)++ = *++*from;
        } else {
            *(*to)++ = c;
        }
    }
    return !quote;
}

int credplan_split(char *line, char *ret[CREDPLAN_WORDS_MAX + 1])
{
    char *from = line, *to = line;
    int n = 0;

    for (;;) {
        bool more;

        from += strspn(from, " \t");
        if (*from == '\0')
            break;
        if (n == CREDPLAN_WORDS_MAX)
            return -EINVAL;
        ret[n++] = to;
        if (!split_word(&from, &to))
            return -EINVAL;
        more = *from != '\0';
        from += more;
        *to++ = '\0';
    }
    ret[n] = NULL;
    return n > 0 ? n : -EINVAL;
}

/* How long before their expiry credentials are due, and urgent. */
static void margins(usec since, usec expiry, usec *ret_due, usec *ret_urgent)
{
    usec life = expiry > since ? expiry - since : 0;

    *ret_due = life / 2 < DUE_BEFORE ? life / 2 : DUE_BEFORE;
    *ret_urgent = life / 3 < URGENT_BEFORE ? life / 3 : URGENT_BEFORE;
}

enum credplan_age credplan_age(usec since, usec expiry, usec now)
{
    usec due, urgent;

    if (expiry == USEC_NEVER)
        return CREDPLAN_FRESH;
    if (now >= expiry)
        return CREDPLAN_EXPIRED;
    margins(since, expiry, &due, &urgent);
    if (now >= expiry - urgent)
        return CREDPLAN_URGENT;
    return now >= expiry - due ? CREDPLAN_DUE : CREDPLAN_FRESH;
}

usec credplan_refresh_at(usec since, usec expiry, double random)
{
    usec due, urgent;

    if (expiry == USEC_NEVER)
        return USEC_NEVER;
    margins(since, expiry, &due, &urgent);
    return expiry - due + (usec)((double)(due - urgent) * random);
}

usec credplan_retry_after(unsigned failures, enum credplan_age age, double random)
{
    const struct backoff backoff = {
        .base = RETRY_FIRST,
        .cap = age >= CREDPLAN_URGENT ? RETRY_MAX_URGENT : RETRY_MAX,
    };
    usec window = backoff_ceiling(&backoff, failures > 0 ? failures - 1 : 0);
    usec wait = (usec)((double)window * random);

    return wait < USEC_PER_SEC ? USEC_PER_SEC : wait;
}
