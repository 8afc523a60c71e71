/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/guard.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>
#include <strings.h>

#define SCHEME "Bearer"
#define HOST_MAX 256

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Compares hashes: they have the same length, and the time that this takes tells nothing about the
 * place where two tokens differ. */
bool guard_token_matches(const char *authorization, const void *token, size_t len)
{
    unsigned char given[SHA256_DIGEST_LENGTH], wanted[SHA256_DIGEST_LENGTH];
    const char *p = authorization;
    bool same;

    if (!p || strncasecmp(p, SCHEME, strlen(SCHEME)) != 0 || !is_blank(p[strlen(SCHEME)]))
        return false;
    p += strlen(SCHEME);
    while (is_blank(*p))
        p++;
    /* If memory is too short for a hash, the tokens count as different. */
    same = SHA256((const unsigned char *)p, strlen(p), given) && SHA256(token, len, wanted) &&
           CRYPTO_memcmp(given, wanted, sizeof(given)) == 0;
    OPENSSL_cleanse(given, sizeof(given));
    OPENSSL_cleanse(wanted, sizeof(wanted));
    return same;
}

static bool is_port(const char *p)
{
    return *p == '\0' || (*p == ':' && p[1] && p[1 + strspn(p + 1, "0123456789")] == '\0');
}

/* "localhost" and names that end in ".localhost": resolvers never look for them outside this
 * machine (RFC 6761). */
static bool is_local_name(const char *name)
{
    static const char local[] = "localhost", below[] = ".localhost";
    size_t n = strlen(name);

    if (n > 0 && name[n - 1] == '.')
        n--;
    if (n == strlen(local))
        return strncasecmp(name, local, n) == 0;
    return n > strlen(below) && strncasecmp(name + n - strlen(below), below, strlen(below)) == 0;
}

/*
 * A foreign site can let its own name point to this machine, so that its pages reach us under that
 * name. Nobody can do that with an address or a loopback name.
 */
bool guard_host_is_plain(const char *host)
{
    char name[HOST_MAX];
    unsigned char address[sizeof(struct in6_addr)];
    size_t n;

    if (host[0] == '[') {
        n = strcspn(host, "]");
        if (host[n] == '\0' || n >= sizeof(name) || !is_port(host + n + 1))
            return false;
        memcpy(name, host + 1, n - 1);
        name[n - 1] = '\0';
        return inet_pton(AF_INET6, name, address) == 1;
    }
    n = strcspn(host, ":");
    if (n == 0 || n >= sizeof(name) || !is_port(host + n))
        return false;
    memcpy(name, host, n);
    name[n] = '\0';
    return inet_pton(AF_INET, name, address) == 1 || is_local_name(name);
}

/* "null", which sandboxed pages and local files send, is never the same origin. */
static bool same_origin(const char *origin, const char *host)
{
    if (!host)
        return false;
    if (strncasecmp(origin, "http://", 7) == 0)
        return strcasecmp(origin + 7, host) == 0;
    if (strncasecmp(origin, "https://", 8) == 0)
        return strcasecmp(origin + 8, host) == 0;
    return false;
}

static bool changes_something(const char *method)
{
    return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0;
}

/* A link on another site to the status page is fine; a form on another site that posts here is
 * not. */
static bool from_other_site(const struct guard_request *r)
{
    if (r->origin && !same_origin(r->origin, r->host))
        return true;
    return changes_something(r->method) && r->fetch_site &&
           (strcasecmp(r->fetch_site, "cross-site") == 0 ||
            strcasecmp(r->fetch_site, "same-site") == 0);
}

/* True for JSON. A form can post other content types to any site, without the browser asking that
 * site first; it cannot post JSON. */
static bool is_json(const char *type)
{
    static const char json[] = "application/json";
    size_t n = strlen(json);

    return type && strncasecmp(type, json, n) == 0 &&
           (type[n] == '\0' || type[n] == ';' || is_blank(type[n]));
}

static struct guard_verdict refuse(unsigned status, const char *text)
{
    return (struct guard_verdict){.status = status, .text = text};
}

static struct guard_verdict check_browser(const struct guard_request *r)
{
    if (r->host && r->loopback && !guard_host_is_plain(r->host))
        return refuse(403, "this address is for this machine: ask for it as localhost or "
                           "127.0.0.1, or send the bearer token if there is one");
    if (from_other_site(r))
        return refuse(403, "the request comes from a page of another site");
    return (struct guard_verdict){0};
}

static struct guard_verdict check_token(const struct guard_request *r)
{
    if (!r->token)
        return refuse(503, "web.bearer_token_file cannot be read: contraced's log says why");
    if (!r->authorization)
        return refuse(401, "a token is needed: send Authorization: Bearer TOKEN");
    return refuse(401, "the token is not the one in web.bearer_token_file");
}

struct guard_verdict guard_check(const struct guard_request *r)
{
    struct guard_verdict v = {0};
    bool known = r->token_wanted && r->token &&
                 guard_token_matches(r->authorization, r->token, r->token_len);

    if (r->fault)
        return refuse(400, r->fault);
    if (r->http_1_1 && !r->host)
        return refuse(400, "the request needs one Host header");
    /* A page of another site does not know the token and cannot reach a unix socket. */
    if (!known && !r->unix_socket) {
        v = check_browser(r);
        if (v.status == 0 && r->token_wanted && !r->open)
            v = check_token(r);
    }
    if (v.status == 0 && r->has_body && !is_json(r->content_type))
        return refuse(415, "the body must be JSON: send Content-Type: application/json");
    return v;
}
