/* SPDX-License-Identifier: Apache-2.0 */
/* Listings of a made-up store that counts what it is asked for. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/find/stored.h"
#include "lib/store/kinds.h"

#define PAGE 1000
#define KEYS_MAX 40000

struct store_call {
    sd_event_source *defer;
    char prefix[NAME_KEY_MAX], after[1100];
    store_object_fn object;
    store_done_fn done;
    void *userdata;
};

struct store {
    char *keys[KEYS_MAX];
    size_t n;
    unsigned pages;     /* that were asked for */
    unsigned failures;  /* so many requests from now on fail */
    size_t fail_behind; /* objects, in the middle of a page */
    enum store_end failure;
};

static struct store fake;
static sd_event *event;

static int on_defer(sd_event_source *source, void *userdata)
{
    struct store_call *call = userdata, copy = *call;
    struct store_result result = {.end = STORE_DONE};
    size_t given = 0;
    int r = 0;

    (void)source;
    (void)sd_event_source_disable_unref(call->defer);
    free(call);
    fake.pages++;
    for (size_t i = 0; i < fake.n && r == 0; i++) {
        const char *key = fake.keys[i];

        if (strncmp(key, copy.prefix, strlen(copy.prefix)) != 0 || strcmp(key, copy.after) <= 0)
            continue;
        if (fake.failures > 0 && given == fake.fail_behind)
            break;
        if (given > 0 && given % PAGE == 0)
            fake.pages++;
        given++;
        r = copy.object(copy.userdata, key, 100, 0);
    }
    if (fake.failures > 0) {
        fake.failures--;
        result.end = fake.failure;
        strcpy(result.text, "the store is out of order");
    } else if (r < 0) {
        result.end = STORE_LOCAL;
    }
    copy.done(copy.userdata, &result);
    return 0;
}

int store_list(struct store *s, const char *prefix, const char *after, store_object_fn object,
               store_done_fn done, void *userdata, struct store_call **ret)
{
    struct store_call *call = calloc(1, sizeof(*call));

    (void)s;
    (void)snprintf(call->prefix, sizeof(call->prefix), "%s", prefix);
    (void)snprintf(call->after, sizeof(call->after), "%s", after ? after : "");
    call->object = object;
    call->done = done;
    call->userdata = userdata;
    assert_true(sd_event_add_defer(event, &call->defer, on_defer, call) >= 0);
    *ret = call;
    return 0;
}

void store_cancel(struct store_call *c)
{
    if (c)
        (void)sd_event_source_disable_unref(c->defer);
    free(c);
}

int store_get(struct store *s, const char *key, store_body_fn body, store_done_fn done,
              void *userdata, struct store_call **ret)
{
    (void)s, (void)key, (void)body, (void)done, (void)userdata, (void)ret;
    fail();
    return -ENOSYS;
}

const char *store_describe(const struct store *s)
{
    (void)s;
    return "a made-up store";
}

int store_check(const struct upload_config *u, char why[static STORE_TEXT_MAX])
{
    (void)u, (void)why;
    return 0;
}

int store_new(const struct store_context *context, const struct upload_config *u,
              struct store **ret)
{
    (void)context, (void)u, (void)ret;
    return -ENOSYS;
}

void store_free(struct store *s)
{
    (void)s;
}

#define NOW ((usec)1795275600 * USEC_PER_SEC) /* 2026-11-21T15:40:00Z */

static void add(const char *key)
{
    assert_true(fake.n < KEYS_MAX);
    fake.keys[fake.n++] = strdup(key);
}

static void add_trace(const char *service, const char *host, usec time)
{
    char key[NAME_KEY_MAX], record[NAME_KEY_MAX];
    struct name n;

    name_init(&n, service, host, time, 7);
    add(name_record_key(name_key(&n, key), record));
    add(key);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One trace each five minutes, for `count` of them, of each host. */
static void fill(const char *service, unsigned hosts, unsigned count)
{
    char host[32];

    for (unsigned h = 0; h < hosts; h++) {
        (void)snprintf(host, sizeof(host), "web-%u", h);
        for (unsigned i = 0; i < count; i++)
            add_trace(service, host, NOW - i * 5 * USEC_PER_MIN - h * USEC_PER_SEC);
    }
    qsort(fake.keys, fake.n, sizeof(char *), compare);
}

static int setup(void **state)
{
    (void)state;
    assert_true(sd_event_new(&event) >= 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < fake.n; i++)
        free(fake.keys[i]);
    memset(&fake, 0, sizeof(fake));
    (void)sd_event_unref(event);
    return 0;
}

static int list(const struct selection *selection, size_t newest, struct catalog *c)
{
    struct sources s = {.event = event, .store = &fake};
    int r = stored_list(&s, selection, newest, NOW, c);

    catalog_merge(c);
    return r;
}

static void test_everything(void **state)
{
    struct selection any = {.until = USEC_NEVER};
    struct catalog c = {0};

    (void)state;
    add(".contrace/probe-web-1");
    add("checkout/web-1/notes.txt");
    add("../../etc/20261121/000000.trace");
    fill("checkout", 5, 500);
    assert_int_equal(list(&any, 0, &c), 0);
    assert_int_equal(c.n, 2500);
    assert_int_equal(fake.pages, 6);
    assert_int_equal(c.items[0].where, WHERE_REMOTE);
    catalog_done(&c);
}

static void test_one_host_is_one_page(void **state)
{
    struct selection s = {
        .service = "checkout", .host = "web-3", .since = NOW - 2 * USEC_PER_HOUR, .until = NOW + 1};
    struct catalog c = {0};

    (void)state;
    fill("checkout", 5, 2000);
    assert_int_equal(list(&s, 0, &c), 0);
    assert_int_equal(c.n, 24);
    assert_int_equal(fake.pages, 1);
    catalog_done(&c);
}

/* All of the history is 30 pages; each host costs a page to see that and one to get there. */
static void test_old_history_is_skipped(void **state)
{
    struct selection s = {.service = "checkout", .since = NOW - USEC_PER_HOUR, .until = USEC_NEVER};
    struct catalog c = {0};

    (void)state;
    fill("checkout", 3, 5000);
    assert_int_equal(list(&s, 0, &c), 0);
    assert_int_equal(c.n, 1 + 3 * 12); /* the first host's oldest is just an hour old */
    assert_true(fake.pages <= 8);
    catalog_done(&c);
}

static void test_foreign_services_are_skipped(void **state)
{
    struct selection s = {.service = "*earch", .until = USEC_NEVER};
    struct catalog c = {0};

    (void)state;
    add_trace("search", "web-1", NOW);
    fill("checkout", 3, 5000);
    assert_int_equal(list(&s, 0, &c), 0);
    assert_int_equal(c.n, 1);
    assert_true(fake.pages <= 3);
    catalog_done(&c);
}

/* The first host's newest ones tell that the older ones of the others need not be looked at. */
static void test_newest(void **state)
{
    struct selection any = {.until = USEC_NEVER};
    struct catalog c = {0};

    (void)state;
    fill("checkout", 3, 5000);
    assert_int_equal(list(&any, 3, &c), 0);
    catalog_sort(&c, order_by_time, false);
    catalog_cut(&c, 3);
    assert_string_equal(c.items[0].key, "checkout/web-0/20261121/154000-7.trace");
    assert_string_equal(c.items[1].key, "checkout/web-1/20261121/153959-7.trace");
    assert_string_equal(c.items[2].key, "checkout/web-2/20261121/153958-7.trace");
    assert_true(fake.pages <= 18);
    catalog_done(&c);
}

/* All of its history is ten pages: the last day and today are two, and tomorrow is asked for. */
static void test_newest_of_one_host(void **state)
{
    struct selection s = {.service = "checkout", .host = "web-0", .until = USEC_NEVER};
    struct catalog c = {0};

    (void)state;
    fill("checkout", 2, 5000);
    assert_int_equal(list(&s, 3, &c), 0);
    assert_int_equal(c.n, 3);
    assert_string_equal(c.items[2].key, "checkout/web-0/20261121/154000-7.trace");
    assert_int_equal(fake.pages, 3);
    catalog_done(&c);
}

/* The last day has too few: the others count. */
static void test_newest_of_an_idle_host(void **state)
{
    struct selection s = {.service = "checkout", .host = "db", .until = USEC_NEVER};
    struct catalog c = {0};

    (void)state;
    add_trace("checkout", "db", NOW - 40 * USEC_PER_DAY);
    add_trace("checkout", "db", NOW - 30 * USEC_PER_DAY);
    add_trace("checkout", "db", NOW - USEC_PER_HOUR);
    assert_int_equal(list(&s, 2, &c), 0);
    assert_true(c.n >= 2);
    catalog_sort(&c, order_by_time, false);
    assert_true(c.items[1].name.time == NOW - 30 * USEC_PER_DAY);
    catalog_done(&c);
}

static void test_passing_trouble(void **state)
{
    struct selection any = {.until = USEC_NEVER};
    struct catalog c = {0};

    (void)state;
    fill("checkout", 1, 100);
    fake.failures = 2;
    fake.fail_behind = 30;
    fake.failure = STORE_RETRY;
    assert_int_equal(list(&any, 0, &c), 0);
    assert_int_equal(c.n, 100);
    assert_int_equal(fake.pages, 3);
    catalog_done(&c);
}

static void test_lasting_trouble(void **state)
{
    struct selection any = {.until = USEC_NEVER};
    struct catalog c = {0};

    (void)state;
    fill("checkout", 1, 100);
    fake.failures = 100;
    fake.fail_behind = 30;
    fake.failure = STORE_PARKED;
    assert_int_equal(list(&any, 0, &c), -EIO);
    assert_int_equal(c.n, 15);
    assert_int_equal(fake.pages, 1);
    catalog_done(&c);
}

static void test_interrupted(void **state)
{
    struct sources s = {.event = event, .store = &fake, .interrupt.number = 2};
    struct selection any = {.until = USEC_NEVER};
    struct catalog c = {0};

    (void)state;
    fill("checkout", 1, 100);
    assert_int_equal(stored_list(&s, &any, 0, NOW, &c), -EINTR);
    catalog_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_everything, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_host_is_one_page, setup, teardown),
        cmocka_unit_test_setup_teardown(test_old_history_is_skipped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_foreign_services_are_skipped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_newest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_newest_of_one_host, setup, teardown),
        cmocka_unit_test_setup_teardown(test_newest_of_an_idle_host, setup, teardown),
        cmocka_unit_test_setup_teardown(test_passing_trouble, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lasting_trouble, setup, teardown),
        cmocka_unit_test_setup_teardown(test_interrupted, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
