/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/stack/libraries.h"

#include <ctype.h>
#include <string.h>

struct pattern {
    const char *package;  /* how the name begins, versions left out */
    const char *receiver; /* how the receiver's type begins */
    const char *part;     /* of the method's name, in small letters; "": any but who accepts */
    enum libraries_role role;
};

/* The first row that fits counts. */
static const struct pattern patterns[] = {
    {"google.golang.org/grpc.", "Server)", "unary", LIBRARIES_HANDLES},
    {"google.golang.org/grpc.", "Server)", "", LIBRARIES_MIXED},
    {"google.golang.org/grpc/internal/transport.", "http2Client)", "newstream", LIBRARIES_POOL},
    {"github.com/valyala/fasthttp.", "Server)", "", LIBRARIES_CONNECTION},
    {"github.com/valyala/fasthttp.", "workerPool)", "", LIBRARIES_LOOP},
    {"github.com/valyala/fasthttp.", "HostClient)", "acquire", LIBRARIES_POOL},
    {"github.com/valyala/fasthttp.", "HostClient)", "do", LIBRARIES_CALL},
    {"golang.org/x/net/http2.", "serverConn)", "", LIBRARIES_LOOP},
    {"golang.org/x/net/http2.", "ClientConn)", "awaitopenslot", LIBRARIES_POOL},
    {"github.com/quic-go/quic-go/http3.", "Server", "", LIBRARIES_LOOP},
    {"github.com/miekg/dns.", "Server)", "", LIBRARIES_LOOP},
    {"github.com/apache/thrift/lib/go/thrift.", "TSimpleServer)", "process", LIBRARIES_SERVES},
    {"github.com/jackc/puddle", "Pool", "acquire", LIBRARIES_POOL},
    {"github.com/redis/go-redis/", "ConnPool)", "get", LIBRARIES_POOL},
    {"github.com/redis/go-redis/", "ConnPool)", "wait", LIBRARIES_POOL},
    {"github.com/go-redis/redis/", "ConnPool)", "get", LIBRARIES_POOL},
    {"github.com/go-redis/redis/", "ConnPool)", "wait", LIBRARIES_POOL},
    {"github.com/gomodule/redigo/redis.", "Pool)", "wait", LIBRARIES_POOL},
    {"go.mongodb.org/mongo-driver/", "pool)", "checkout", LIBRARIES_POOL},
    {"github.com/panjf2000/ants/", "ool", "retrieve", LIBRARIES_LIMIT},
};

#define N_PATTERNS (sizeof(patterns) / sizeof(patterns[0]))

/* What servers of these libraries go through, beside their own packages. */
static const char *const ways[] = {"google.golang.org/grpc/internal/", "github.com/quic-go/"};

/* How the names begin of methods that wait for connections, or for a server to end. */
static const char *const accepting[] = {"listen",   "accept",   "stop",
                                        "graceful", "shutdown", "close"};

static bool begins(const char *func, size_t len, const char *with)
{
    size_t n = strlen(with);

    return len >= n && memcmp(func, with, n) == 0;
}

/* Likewise, whatever the letters' size; `with` has small ones. */
static bool begins_so(const char *text, size_t len, const char *with)
{
    size_t n = strlen(with), i = 0;

    while (i < n && i < len && tolower((unsigned char)text[i]) == with[i])
        i++;
    return i == n;
}

static bool has(const char *text, size_t len, const char *part)
{
    for (size_t i = 0; i <= len; i++) {
        if (begins_so(text + i, len - i, part))
            return true;
    }
    return false;
}

/* Splits a method's name at the last receiver in it: of what the compiler put into another function,
 * that is the method itself. False: it is no method. */
static bool split(const char *func, size_t len, const char **ret_type, const char **ret_method)
{
    const char *end = NULL;

    for (size_t i = 1; i + 1 < len; i++)
        end = func[i] == ')' && func[i + 1] == '.' ? func + i : end;
    if (!end)
        return false;
    *ret_method = end + 2;
    for (*ret_type = end; *ret_type > func && **ret_type != '*' && **ret_type != '(';)
        --*ret_type;
    ++*ret_type;
    return **ret_type != ')';
}

static bool accepts(const char *method, size_t len)
{
    const char *dot = memchr(method, '.', len);
    size_t n = dot ? (size_t)(dot - method) : len;

    if (begins_so(method, n, "serve") && (n == 5 || begins_so(method + 5, n - 5, "tls")))
        return true;
    for (size_t i = 0; i < sizeof(accepting) / sizeof(accepting[0]); i++) {
        if (begins_so(method, n, accepting[i]))
            return true;
    }
    return false;
}

static bool fits(const struct pattern *p, const char *func, size_t len)
{
    const char *type, *method;
    size_t n;

    if (!begins(func, len, p->package) || !split(func, len, &type, &method))
        return false;
    n = (size_t)(func + len - method);
    if (memmem(type, (size_t)(method - type), p->receiver, strlen(p->receiver)) == NULL)
        return false;
    return p->part[0] != '\0' ? has(method, n, p->part) : !accepts(method, n);
}

enum libraries_role libraries_role(const char *func, size_t len)
{
    for (size_t i = 0; i < N_PATTERNS; i++) {
        if (fits(&patterns[i], func, len))
            return patterns[i].role;
    }
    return LIBRARIES_UNKNOWN;
}

bool libraries_serve(const char *func, size_t len)
{
    for (size_t i = 0; i < N_PATTERNS; i++) {
        if (patterns[i].role >= LIBRARIES_LOOP && begins(func, len, patterns[i].package))
            return true;
    }
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (begins(func, len, ways[i]))
            return true;
    }
    return false;
}

const char *libraries_package(size_t n)
{
    size_t n_ways = sizeof(ways) / sizeof(ways[0]);

    if (n < N_PATTERNS)
        return patterns[n].package;
    return n - N_PATTERNS < n_ways ? ways[n - N_PATTERNS] : NULL;
}
