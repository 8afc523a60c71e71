/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/identity/fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct fetch {
    struct http_request *request;
    fetch_fn fn;
    void *userdata;
    struct buf body;
    int error;
};

static void fetch_free(struct fetch *f)
{
    buf_wipe(&f->body);
    free(f);
}

static ssize_t on_body(void *userdata, const void *data, size_t n)
{
    struct fetch *f = userdata;

    f->error = buf_add(&f->body, data, n);
    return f->error < 0 ? HTTP_ABORT : (ssize_t)n;
}

static void on_finished(void *userdata, const struct http_result *result)
{
    struct fetch *f = userdata;
    struct fetch_reply reply = {.error = f->error, .status = result->status, .text = result->text};

    f->request = NULL;
    if (f->error == -E2BIG)
        reply.text = "the answer is longer than 64 KiB";
    else if (f->error < 0)
        reply.text = strerror(-f->error);
    else if (result->error != HTTP_OK)
        reply.error = -EAGAIN;
    reply.untrusted = result->error == HTTP_TLS;
    reply.body = buf_str(&f->body);
    reply.body_len = f->body.len;
    f->fn(f->userdata, &reply);
    fetch_free(f);
}

int fetch_start(struct http *http, const struct http_options *options, fetch_fn fn, void *userdata,
                struct fetch **ret)
{
    static const struct http_handlers handlers = {.body = on_body, .finished = on_finished};
    struct fetch *f = calloc(1, sizeof(*f));
    int r;

    if (!f)
        return -ENOMEM;
    f->fn = fn;
    f->userdata = userdata;
    buf_init(&f->body, FETCH_MAX);
    r = http_start(http, options, &handlers, f, &f->request);
    if (r < 0) {
        fetch_free(f);
        return r;
    }
    *ret = f;
    return 0;
}

void fetch_cancel(struct fetch *f)
{
    if (!f)
        return;
    http_cancel(f->request);
    fetch_free(f);
}
