/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/upload/credplan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "daemon/upload/partition.h"

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

const char *credplan_source_name(enum credplan_source source)
{
    static const char *const names[] = {
        [CREDPLAN_CONFIG] = "files named in the configuration",
        [CREDPLAN_ENVIRONMENT] = "the environment",
        [CREDPLAN_WEB_IDENTITY] = "web identity",
        [CREDPLAN_SHARED] = "the shared credentials file",
        [CREDPLAN_CONTAINER] = "the container's endpoint",
        [CREDPLAN_IMDS] = "the instance's role (IMDSv2)",
    };

    return names[source];
}

/* Sources of two halves. 1: both are there, 0: neither, -EINVAL. */
static int pair(bool first, bool second, char *why, size_t why_size, const char *what)
{
    if (first != second)
        return refuse(-EINVAL, why, why_size, what);
    return first;
}

int credplan_choose(const struct credplan_facts *f, enum credplan_source *ret, char *why,
                    size_t why_size)
{
    int r = pair(f->config_access_key, f->config_secret_key, why, why_size,
                 "the configuration names only one of the two key files");

    if (r != 0) {
        *ret = r > 0 ? CREDPLAN_CONFIG : *ret;
        return r < 0 ? r : 0;
    }
    r = pair(f->env_access_key, f->env_secret_key, why, why_size,
             "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set");
    if (r != 0) {
        *ret = r > 0 ? CREDPLAN_ENVIRONMENT : *ret;
        return r < 0 ? r : 0;
    }
    if (f->env_token_file && !f->env_role_arn)
        return refuse(-EINVAL, why, why_size,
                      "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN");
    if (f->env_profile && !f->shared_keys && !f->env_token_file)
        return refuse(-EINVAL, why, why_size,
                      "AWS_PROFILE names a profile that has no keys in the shared files");
    if (f->env_token_file)
        *ret = CREDPLAN_WEB_IDENTITY;
    else if (f->shared_keys)
        *ret = CREDPLAN_SHARED;
    else if (f->relative_uri || f->full_uri)
        *ret = CREDPLAN_CONTAINER;
    else if (!f->imds_disabled)
        *ret = CREDPLAN_IMDS;
    else
        return refuse(-ENOENT, why, why_size,
                      "no credentials are configured, and AWS_EC2_METADATA_DISABLED is set");
    return 0;
}

/* Visible ASCII without what parsers of URLs disagree about. */
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

/* Who may be asked without TLS. */
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

int credplan_sts_url(const char *region, unsigned wishes, char ret[CREDPLAN_URL_SIZE])
{
    char host[PARTITION_HOST_SIZE];
    int r = partition_sts_host(region, wishes, host);

    if (r == 0)
        (void)snprintf(ret, CREDPLAN_URL_SIZE, "https://%s/", host);
    return r;
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~", c));
}

/* RFC 3986; not by buf_addf, whose own copy is not wiped. */
static int add_encoded(struct buf *form, const char *name, const char *value, size_t n)
{
    static const char hex[] = "0123456789ABCDEF";
    int r = buf_adds(form, name);

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

static bool is_session_name(const char *name)
{
    static const char others[] = "_+=,.@-";
    size_t n = strlen(name);

    for (size_t i = 0; i < n; i++) {
        if (!is_unreserved(name[i]) && !strchr(others, name[i]))
            return false;
    }
    return n >= SESSION_MIN && n <= SESSION_MAX && !strchr(name, '~');
}

int credplan_form(const char *role_arn, const char *session, const char *token, size_t token_len,
                  struct buf *form)
{
    size_t role_len = strnlen(role_arn, ROLE_MAX + 1);
    int r;

    if (!session || !*session)
        session = "contraced";
    while (token_len > 0 && strchr(" \t\r\n", token[token_len - 1]))
        token_len--;
    if (role_len < ROLE_MIN || role_len > ROLE_MAX || !is_session_name(session) ||
        token_len < WEB_TOKEN_MIN || token_len > WEB_TOKEN_MAX || memchr(token, '\0', token_len))
        return -EINVAL;
    r = buf_adds(form, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15");
    if (r == 0)
        r = add_encoded(form, "&RoleArn=", role_arn, role_len);
    if (r == 0)
        r = add_encoded(form, "&RoleSessionName=", session, strlen(session));
    if (r == 0)
        r = add_encoded(form, "&WebIdentityToken=", token, token_len);
    return r;
}

/* How long before the expiry they are due and urgent. */
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
    usec max = age >= CREDPLAN_URGENT ? RETRY_MAX_URGENT : RETRY_MAX;
    unsigned doublings = failures > 0 ? failures - 1 : 0;
    usec window = doublings < 16 ? RETRY_FIRST << doublings : max;
    usec wait;

    if (window > max)
        window = max;
    wait = (usec)((double)window * random);
    return wait < USEC_PER_SEC ? USEC_PER_SEC : wait;
}
