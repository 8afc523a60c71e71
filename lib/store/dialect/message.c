/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/dialect/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BEARER_MAX (20u << 10)
#define META_NAME_MAX 256   /* bytes of a meta datum's name, its prefix included */
#define META_VALUE_MAX 1024 /* bytes of its value, encoded */

void message_init(struct message *m, const char *method)
{
    *m = (struct message){.method = method};
    buf_init(&m->url, MESSAGE_URL_MAX);
}

static void wipe(const char *text)
{
    char *s = (char *)text;

    if (s)
        explicit_bzero(s, strlen(s));
    free(s);
}

void message_done(struct message *m)
{
    for (size_t i = 0; i < m->n_headers; i++) {
        wipe(m->headers[i].name);
        wipe(m->headers[i].value);
    }
    m->n_headers = 0;
    buf_wipe(&m->url);
}

int message_add(struct message *m, const char *name, const char *value)
{
    struct http_header h;

    if (m->n_headers == MESSAGE_HEADERS_MAX)
        return -E2BIG;
    h = (struct http_header){.name = strdup(name), .value = strdup(value)};
    if (!h.name || !h.value) {
        wipe(h.name);
        wipe(h.value);
        return -ENOMEM;
    }
    m->headers[m->n_headers++] = h;
    return 0;
}

int message_add_if(struct message *m, const char *name, const char *value)
{
    return value ? message_add(m, name, value) : 0;
}

int message_add_meta(struct message *m, const char *prefix, const char *name, const char *value)
{
    struct buf n, v;
    int r;

    buf_init(&n, META_NAME_MAX);
    buf_init(&v, META_VALUE_MAX);
    r = buf_addf(&n, "%s%s", prefix, name);
    for (const char *p = value; *p && r == 0; p++) {
        unsigned char c = (unsigned char)*p;

        r = c > ' ' && c < 0x7f && c != '%' ? buf_add(&v, p, 1) : buf_addf(&v, "%%%02X", c);
        if (r == -E2BIG) { /* cut, between two letters */
            r = 0;
            break;
        }
    }
    if (r == 0)
        r = message_add(m, buf_str(&n), buf_str(&v));
    buf_done(&n);
    buf_done(&v);
    return r;
}

int message_add_bearer(struct message *m, const char *token)
{
    struct buf value;
    int r;

    buf_init(&value, BEARER_MAX);
    r = buf_adds(&value, "Bearer ");
    if (r == 0)
        r = buf_adds(&value, token ? token : "");
    if (r == 0)
        r = message_add(m, "Authorization", buf_str(&value));
    buf_wipe(&value);
    return r;
}
