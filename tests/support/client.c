/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/support/client.h"
#include "tests/support/scratch.h"

void client_init(struct client *c, const char *parent)
{
    *c = (struct client){.dir = scratch_new(parent)};
    c->descriptors = scratch_descriptors();
    assert_true(sd_event_new(&c->event) >= 0);
    assert_int_equal(http_new(c->event, "contraced/test", &c->http), 0);
}

void client_done(struct client *c)
{
    http_cancel(c->request);
    http_free(c->http);
    sd_event_unref(c->event);
    loopback_free(c->server);
    assert_int_equal(scratch_descriptors(), c->descriptors);
    scratch_free(c->dir);
}

void client_start(struct client *c, const struct http_options *options,
                  const struct http_handlers *handlers)
{
    c->finished = false;
    assert_int_equal(http_start(c->http, options, handlers, c, &c->request), 0);
    assert_false(c->finished);
}

void client_finished(void *userdata, const struct http_result *result)
{
    struct client *c = userdata;

    assert_false(c->finished);
    c->finished = true;
    c->result = *result;
    c->request = NULL;
}

void client_step(struct client *c)
{
    assert_true(sd_event_run(c->event, UINT64_MAX) >= 0);
}

enum http_error client_wait(struct client *c)
{
    while (!c->finished)
        client_step(c);
    assert_int_equal(c->result.error == HTTP_OK, c->result.text[0] == '\0');
    return c->result.error;
}
