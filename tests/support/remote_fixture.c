/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/remote_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/filehash.h"
#include "lib/store/kinds.h"

int world_setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->dir = scratch_new(NULL);
    w->descriptors = scratch_descriptors();
    w->fd = -1;
    assert_true(sd_event_new(&w->context.event) >= 0);
    assert_int_equal(http_new(w->context.event, "contraced/test", &w->context.http), 0);
    assert_int_equal(disk_new(w->context.event, &w->context.disk), 0);
    w->server = loopback_new(NULL);
    (void)snprintf(w->endpoint, sizeof(w->endpoint), "http://127.0.0.1:%u",
                   loopback_port(w->server));
    w->u = (struct upload_config){
        .url = (char *)"s3://bucket/pre",
        .endpoint = w->endpoint,
        .region = (char *)"eu-test-1",
        .concurrency = 4,
        .access_key_file = strdup(scratch_write(w->dir, "access", "AKONE\n", 6, 0600)),
        .secret_key_file = strdup(scratch_write(w->dir, "secret", "secret1\n", 8, 0600)),
    };
    *state = w;
    return 0;
}

int world_teardown(void **state)
{
    struct world *w = *state;

    store_cancel(w->call);
    store_free(w->store);
    http_free(w->context.http);
    disk_free(w->context.disk);
    sd_event_unref(w->context.event);
    loopback_free(w->server);
    if (w->fd >= 0)
        (void)close(w->fd);
    free(w->u.access_key_file);
    free(w->u.secret_key_file);
    assert_int_equal(scratch_descriptors(), w->descriptors);
    scratch_free(w->dir);
    free(w);
    return 0;
}

struct store *world_store(struct world *w)
{
    if (!w->store)
        assert_int_equal(store_new(&w->context, &w->u, &w->store), 0);
    return w->store;
}

void world_on_done(void *userdata, const struct store_result *result)
{
    struct world *w = userdata;

    assert_false(w->ended);
    assert_false(w->inside);
    w->ended = true;
    w->result = *result;
    w->call = NULL;
}

int world_on_body(void *userdata, const void *data, size_t n)
{
    struct world *w = userdata;

    if (w->refuse)
        return w->refuse;
    assert_true(strlen(w->got) + n < sizeof(w->got));
    (void)strncat(w->got, data, n);
    return 0;
}

int world_on_object(void *userdata, const char *key, uint64_t size, usec modified)
{
    struct world *w = userdata;
    size_t n = strlen(w->got);

    if (w->refuse)
        return w->refuse;
    (void)snprintf(w->got + n, sizeof(w->got) - n, "%s:%u:%u|", key, (unsigned)size,
                   (unsigned)(modified / USEC_PER_SEC));
    return 0;
}

void world_begun(struct world *w, int r)
{
    w->inside = false;
    assert_int_equal(r, 0);
}

void world_clear(struct world *w)
{
    w->ended = false;
    w->inside = true;
    w->got[0] = '\0';
    w->result = (struct store_result){.end = STORE_END_COUNT};
}

enum store_end world_run(struct world *w)
{
    while (!w->ended)
        assert_true(sd_event_run(w->context.event, UINT64_MAX) >= 0);
    return w->result.end;
}

static const struct store_meta meta[] = {{"service", "checkout"}, {"reason", "trigger: a%b"}};

struct store_object world_hello(void)
{
    static char sha256[FILEHASH_SIZE];

    assert_int_equal(filehash_memory(HELLO, strlen(HELLO), sha256), 0);
    return (struct store_object){
        .key = "svc/h/20260314/092653-7.trace",
        .data = HELLO,
        .fd = -1,
        .size = strlen(HELLO),
        .sha256 = sha256,
        .content_type = "application/octet-stream",
        .meta = meta,
        .n_meta = 2,
    };
}

struct store_object world_file(struct world *w, const void *data, size_t n)
{
    struct store_object o = world_hello();

    w->fd = open(scratch_write(w->dir, "object", data, n, 0600), O_RDONLY | O_CLOEXEC);
    assert_true(w->fd >= 0);
    o.data = NULL;
    o.fd = w->fd;
    o.size = n;
    return o;
}

enum store_end world_put_object(struct world *w, const struct store_object *o)
{
    world_clear(w);
    world_begun(w, store_put(world_store(w), o, world_on_done, w, &w->call));
    return world_run(w);
}

enum store_end world_put(struct world *w)
{
    const struct store_object o = world_hello();

    return world_put_object(w, &o);
}

enum store_end world_head(struct world *w)
{
    world_clear(w);
    world_begun(w, store_head(world_store(w), "k", world_on_done, w, &w->call));
    return world_run(w);
}

enum store_end world_get(struct world *w)
{
    world_clear(w);
    world_begun(w, store_get(world_store(w), "k", world_on_body, world_on_done, w, &w->call));
    return world_run(w);
}

enum store_end world_list(struct world *w, const char *after)
{
    world_clear(w);
    world_begun(
        w, store_list(world_store(w), "s", after, world_on_object, world_on_done, w, &w->call));
    return world_run(w);
}

void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in \"%s\"", part, text);
}

void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" in \"%s\"", part, text);
}

const char *world_object_head(const char *size, const char *sha256)
{
    static char text[512];

    (void)snprintf(text, sizeof(text),
                   "HTTP/1.1 200 OK\r\nContent-Length: %s\r\nx-amz-meta-sha256: %s\r\n\r\n", size,
                   sha256);
    return text;
}
