/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fake_store.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/filehash.h"

struct fake_call {
    struct store_call call;
    struct fake_call *next;
    const struct store_object *object;
    store_done_fn done;
    void *userdata;
    size_t put; /* its place in puts */
};

static struct fake_store *fake_of(struct store *s)
{
    return (struct fake_store *)s;
}

static void check_object(const struct fake_store *f, const struct store_object *o)
{
    char sha256[FILEHASH_SIZE], *bytes = NULL;

    if (!o->data) {
        bytes = malloc(o->size + 1);
        assert_non_null(bytes);
        assert_int_equal(pread(o->fd, bytes, o->size, 0), o->size);
    }
    assert_int_equal(filehash_memory(o->data ? o->data : bytes, o->size, sha256), 0);
    free(bytes);
    assert_string_equal(o->sha256, sha256);
    for (const struct fake_call *c = f->first; c; c = c->next)
        assert_string_not_equal(c->object->key, o->key);
}

static char *meta_text(const struct store_object *o)
{
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);

    assert_non_null(out);
    for (size_t i = 0; i < o->n_meta; i++)
        (void)fprintf(out, "%s=%s ", o->meta[i].name, o->meta[i].value);
    (void)fclose(out);
    return text;
}

static size_t remember(struct fake_store *f, const struct store_object *o)
{
    if (f->n_puts == f->cap) {
        f->cap = f->cap ? 2 * f->cap : 64;
        f->puts = reallocarray(f->puts, f->cap, sizeof(*f->puts));
        assert_non_null(f->puts);
    }
    f->puts[f->n_puts] =
        (struct fake_put){.key = strdup(o->key), .size = o->size, .meta = meta_text(o)};
    return f->n_puts++;
}

static int put(struct store *s, const struct store_object *o, store_done_fn done, void *userdata,
               struct store_call **ret)
{
    struct fake_store *f = fake_of(s);
    struct fake_call *c;

    if (f->no_memory)
        return -ENOMEM;
    check_object(f, o);
    c = calloc(1, sizeof(*c));
    assert_non_null(c);
    c->call.store = s;
    c->object = o;
    c->done = done;
    c->userdata = userdata;
    c->put = remember(f, o);
    if (f->last)
        f->last->next = c;
    else
        f->first = c;
    f->last = c;
    if (++f->under_way > f->most)
        f->most = f->under_way;
    if (!f->hold)
        (void)sd_event_source_set_enabled(f->wake, SD_EVENT_ON);
    *ret = &c->call;
    return 0;
}

static void unlink_call(struct fake_store *f, struct fake_call *c)
{
    struct fake_call **p = &f->first, *before = NULL;

    for (; *p != c; p = &(*p)->next)
        before = *p;
    *p = c->next;
    if (f->last == c)
        f->last = before;
    f->under_way--;
}

static void cancel(struct store_call *call)
{
    struct fake_store *f = fake_of(call->store);
    struct fake_call *c = (struct fake_call *)call;

    unlink_call(f, c);
    f->cancelled++;
    free(c);
}

static unsigned times_before(const struct fake_store *f, size_t put)
{
    unsigned n = 0;

    for (size_t i = 0; i < put; i++)
        n += strcmp(f->puts[i].key, f->puts[put].key) == 0;
    return n;
}

bool fake_release(struct fake_store *f)
{
    struct store_result result = {.end = STORE_DONE};
    struct fake_call *c = f->first;

    if (!c)
        return false;
    if (f->answer)
        f->answer(f, c->object, times_before(f, c->put), &result);
    f->puts[c->put].end = result.end;
    f->puts[c->put].ended = true;
    unlink_call(f, c);
    c->done(c->userdata, &result);
    free(c);
    return true;
}

static int on_wake(sd_event_source *source, void *userdata)
{
    struct fake_store *f = userdata;

    (void)source;
    if (f->hold || !fake_release(f))
        (void)sd_event_source_set_enabled(f->wake, SD_EVENT_OFF);
    return 0;
}

void fake_forget(struct fake_store *f)
{
    assert_null(f->first);
    for (size_t i = 0; i < f->n_puts; i++) {
        free(f->puts[i].key);
        free(f->puts[i].meta);
    }
    f->n_puts = 0;
}

static void free_store(struct store *s)
{
    struct fake_store *f = fake_of(s);

    fake_forget(f);
    if (f->freed)
        ++*f->freed;
    sd_event_source_disable_unref(f->wake);
    free(f->puts);
    free(f->store.description);
    free(f);
}

struct fake_store *fake_store_new(sd_event *event)
{
    static const struct store_ops ops = {.put = put, .cancel = cancel, .free = free_store};
    struct fake_store *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->store.ops = &ops;
    f->store.description = strdup("fake://store");
    assert_non_null(f->store.description);
    assert_true(sd_event_add_defer(event, &f->wake, on_wake, f) >= 0);
    assert_true(sd_event_source_set_enabled(f->wake, SD_EVENT_OFF) >= 0);
    return f;
}

bool fake_waiting(const struct fake_store *f)
{
    return f->first != NULL;
}

unsigned fake_count(const struct fake_store *f, const char *suffix)
{
    unsigned n = 0;

    for (size_t i = 0; i < f->n_puts; i++) {
        size_t m = strlen(f->puts[i].key), k = strlen(suffix);

        n += m >= k && strcmp(f->puts[i].key + m - k, suffix) == 0;
    }
    return n;
}
