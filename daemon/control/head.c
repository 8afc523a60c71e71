/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/head.h"

#include <string.h>
#include <strings.h>

enum { CONTENT_LENGTH, TRANSFER_ENCODING, HOST, ORIGIN, AUTHORIZATION, CONTENT_TYPE };

static const struct {
    const char *name, *twice;
} once[] = {
    [CONTENT_LENGTH] = {"Content-Length", "the request has two Content-Length headers"},
    [TRANSFER_ENCODING] = {"Transfer-Encoding", "the request has two Transfer-Encoding headers"},
    [HOST] = {"Host", "the request needs one Host header"},
    [ORIGIN] = {"Origin", "the request has two Origin headers"},
    [AUTHORIZATION] = {"Authorization", "the request has two Authorization headers"},
    [CONTENT_TYPE] = {"Content-Type", "the request has two Content-Type headers"},
};

#define N_ONCE (sizeof(once) / sizeof(once[0]))

_Static_assert(N_ONCE <= sizeof(((struct head *)NULL)->seen) / sizeof(unsigned), "one place each");

/* True if all bytes are tchar of RFC 9110, 5.6.2. The library leaves a blank before the colon in
 * the name, so this refuses it. */
static bool is_token(const char *name)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    size_t n = 0;

    for (; name[n]; n++) {
        char c = name[n];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            !strchr(others, c))
            return false;
    }
    return n > 0;
}

void head_add(struct head *h, const char *name, const char *value)
{
    if (!is_token(name))
        h->fault = "the request has a header whose name is no name: no blank may stand before the "
                   "colon";
    if (value && strchr(value, '\r') && !h->fault)
        h->fault = "the request has a header with a carriage return in its value";
    for (size_t i = 0; i < N_ONCE; i++) {
        if (strcasecmp(name, once[i].name) == 0 && ++h->seen[i] > 1 && !h->fault)
            h->fault = once[i].twice;
    }
    if (strcasecmp(name, once[TRANSFER_ENCODING].name) == 0 &&
        (!value || strcasecmp(value, "chunked") != 0) && !h->fault)
        h->fault = "the request has a Transfer-Encoding other than chunked";
}

const char *head_fault(const struct head *h)
{
    if (!h->fault && h->seen[TRANSFER_ENCODING] > 0 && h->http_1_0)
        return "the request has a Transfer-Encoding, which HTTP/1.0 does not know";
    if (!h->fault && h->seen[CONTENT_LENGTH] > 0 && h->seen[TRANSFER_ENCODING] > 0)
        return "the request has a Content-Length and is chunked";
    return h->fault;
}

bool head_many_arguments(const char *target)
{
    const char *p = strchr(target, '?');
    size_t n = 1;

    while (p && (p = strchr(p + 1, '&')))
        n++;
    return n > HEAD_ARGUMENTS_MAX;
}
