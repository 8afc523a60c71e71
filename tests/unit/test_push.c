/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Flight recordings that are sent, into a real spool: what is kept, what is refused, and that
 * nothing is left of the rest. Over HTTP they are tried in tests/e2e/test_push.py.
 */

#include "tests/support/spool_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/capture/incident_tag.h"
#include "daemon/push/push.h"
#include "tests/support/traces.h"

#define LIMIT (1u << 20)

struct end {
    unsigned times;
    enum reception reception;
    enum outcome outcome;
    char key[NAME_KEY_MAX], text[CAPTURE_TEXT_MAX];
    char incident[NAME_KEY_MAX], none[PUSH_WHY_SIZE];
};

static struct counters counters;
static struct pushes *pushes;
static struct trace trace;
static unsigned resumed, kept;
static struct push_offer offer;
static usec wait_time;

static long allocations_left = -1; /* -1: as many as there is memory for */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
char *__wrap_strdup(const char *s);

static bool fails(void)
{
    return allocations_left >= 0 && allocations_left-- == 0;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

char *__wrap_strdup(const char *s)
{
    return fails() ? NULL : __real_strdup(s);
}

static void on_kept(void *userdata, const char *job, const char *key)
{
    assert_ptr_equal(userdata, &kept);
    assert_string_equal(job, "shops");
    assert_non_null(key);
    kept++;
}

static void on_resume(void *userdata)
{
    (void)userdata;
    resumed++;
}

static void on_ended(void *userdata, const struct push_end *end)
{
    struct end *e = userdata;

    e->times++;
    e->reception = end->reception;
    e->outcome = end->outcome;
    (void)snprintf(e->key, sizeof(e->key), "%s", end->key ? end->key : "");
    (void)snprintf(e->text, sizeof(e->text), "%s", end->text);
    (void)snprintf(e->incident, sizeof(e->incident), "%s", end->incident ? end->incident : "");
    (void)snprintf(e->none, sizeof(e->none), "%s", end->none ? end->none : "");
}

static const struct push_handlers handlers = {.resume = on_resume, .ended = on_ended};

/* To which incident what comes belongs, and what that was told of its evidence. */
static struct push_incident incident;
static struct {
    unsigned times;
    bool kept;
    enum outcome outcome;
} told;

static int setup(void **state)
{
    static const struct record_label labels[] = {{"env", "prod"}};

    assert_int_equal(fixture_setup(state), 0);
    assert_int_equal(fixture_start(), 0);
    counters = (struct counters){0};
    resumed = kept = 0;
    incident = (struct push_incident){0};
    memset(&told, 0, sizeof(told));
    assert_int_equal(pushes_new(fx.event, fx.spool, &counters, on_kept, &kept, &pushes), 0);
    traces_make(&trace, 26, 3, 500);
    offer = (struct push_offer){.service = "shop",
                                .host = "web-1",
                                .job = "shops",
                                .labels = labels,
                                .n_labels = 1,
                                .reason = "push:slow",
                                .from = "push:unix",
                                .pid = 7,
                                .limit = LIMIT};
    return 0;
}

static int teardown(void **state)
{
    fixture_settle();
    assert_true(pushes_idle(pushes));
    pushes_free(pushes);
    traces_done(&trace);
    assert_int_equal(usage().incoming, 0);
    assert_int_equal(stats_now().reserved_bytes, 0);
    return fixture_teardown(state);
}

static struct push *begun(struct end *end)
{
    struct push *p = NULL;

    assert_int_equal(push_begin(pushes, &offer, &handlers, end, &p, &wait_time), RECEPTION_KEPT);
    return p;
}

static enum reception refused(void)
{
    struct push *p = NULL;
    enum reception r = push_begin(pushes, &offer, &handlers, NULL, &p, &wait_time);

    assert_null(p);
    return r;
}

static void take(struct push *p, const void *data, size_t n)
{
    for (size_t i = 0; i < n; i += 100)
        assert_int_equal(push_take(p, (const char *)data + i, n - i < 100 ? n - i : 100), 1);
}

struct incident_tag *__wrap_incident_evidence_tag(const struct incident *i);
void __wrap_incident_evidence_ended(struct incident *i, enum outcome outcome, const char *text,
                                    const char *key);

struct incident_tag *__wrap_incident_evidence_tag(const struct incident *i)
{
    return (struct incident_tag *)(uintptr_t)i;
}

void __wrap_incident_evidence_ended(struct incident *i, enum outcome outcome, const char *text,
                                    const char *key)
{
    assert_ptr_equal(i, incident.begins);
    assert_non_null(text);
    told.times++;
    told.kept = key != NULL;
    told.outcome = outcome;
}

static int finish(struct push *p)
{
    int r = push_judge(p);

    return r < 0 ? r : push_publish(p, &incident);
}

static void test_kept(void **state)
{
    struct end end = {0};
    struct push *p = begun(&end);

    (void)state;
    take(p, trace.data, trace.n);
    assert_int_equal(finish(p), 0);
    assert_int_equal(end.times, 0);
    fixture_settle();
    assert_int_equal(end.times, 1);
    assert_int_equal(end.reception, RECEPTION_KEPT);
    assert_int_equal(end.outcome, OUTCOME_OK);
    assert_non_null(strstr(end.key, "-7.flight.trace"));
    assert_int_equal(strncmp(end.key, "shop/web-1/", 11), 0);
    assert_int_equal(kept, 1);
    assert_int_equal(counters.pushes[RECEPTION_KEPT], 1);
    assert_int_equal(counters.pushed_bytes, trace.n);
}

/* The tag stands for the incident here: the record has its id, which is free for its other files. */
static void test_evidence(void **state)
{
    struct incident_tag *tag = incident_tag_new(NULL);
    struct end end = {0};
    struct push *p;
    char id[NAME_KEY_MAX + 16];

    (void)state;
    assert_non_null(tag);
    for (unsigned i = 0; i < 2; i++) {
        memset(&told, 0, sizeof(told));
        incident.begins = (struct incident *)(uintptr_t)tag;
        p = begun(&end);
        take(p, trace.data, i == 0 ? trace.n : trace.ends[1] + 20);
        assert_int_equal(finish(p), 0);
        assert_int_equal(told.times, 0);
        if (i == 1)
            push_drop(p); /* the incident goes on without the sender */
        fixture_settle();
        assert_int_equal(told.times, 1);
        assert_true(told.kept);
        assert_int_equal(told.outcome, i == 0 ? OUTCOME_OK : OUTCOME_TRUNCATED);
    }
    (void)snprintf(id, sizeof(id), "%s.flight.trace", end.incident);
    assert_string_equal(id, end.key);
    assert_string_equal(end.none, "");
    incident = (struct push_incident){.id = "shop/web-1/20260101/000000-7"};
    p = begun(&end);
    take(p, trace.data, trace.n);
    assert_int_equal(finish(p), 0);
    fixture_settle();
    assert_string_equal(end.incident, incident.id);
    incident_tag_unref(tag);
}

/* The disk fails: the incident is told, and goes on. */
static void test_evidence_is_lost(void **state)
{
    struct incident_tag *tag = incident_tag_new(NULL);
    struct end end = {0};
    struct push *p = begun(&end);

    (void)state;
    assert_non_null(tag);
    incident.begins = (struct incident *)(uintptr_t)tag;
    take(p, trace.data, trace.n);
    assert_int_equal(finish(p), 0);
    inject("fsync", 1, EIO);
    fixture_settle();
    inject_nothing();
    assert_string_equal(end.key, "");
    assert_int_equal(told.times, 1);
    assert_false(told.kept);
    assert_int_not_equal(told.outcome, OUTCOME_OK);
    incident_tag_unref(tag);
}

static void test_no_incident(void **state)
{
    struct end end = {0};
    struct push *p = begun(&end);

    (void)state;
    incident.none = "the budget is used up";
    take(p, trace.data, trace.n);
    assert_int_equal(finish(p), 0);
    fixture_settle();
    assert_string_equal(end.incident, "");
    assert_string_equal(end.none, incident.none);
    assert_int_equal(told.times, 0);
}

/* A recording that the process itself did not finish has its whole generations. */
static void test_damaged(void **state)
{
    struct end end = {0};
    struct push *p = begun(&end);

    (void)state;
    take(p, trace.data, trace.ends[1] + 20);
    assert_int_equal(finish(p), 0);
    fixture_settle();
    assert_int_equal(end.outcome, OUTCOME_TRUNCATED);
    assert_int_equal(counters.pushed_bytes, trace.ends[1]);
}

static void test_no_trace(void **state)
{
    static const char page[] = "<html>and so on, for a while";
    struct push_end end;
    struct push *p = begun(NULL);

    (void)state;
    assert_true(push_take(p, page, sizeof(page) - 1) < 0);
    push_refuse(p, &end);
    assert_int_equal(end.reception, RECEPTION_NOT_A_TRACE);
    assert_non_null(strstr(end.text, "the body is not a flight recording but \"<html>"));
    p = begun(NULL);
    take(p, trace.data, 16); /* the header alone */
    assert_true(finish(p) < 0);
    push_refuse(p, &end);
    assert_int_equal(end.reception, RECEPTION_NOT_A_TRACE);
    assert_int_equal(counters.pushes[RECEPTION_NOT_A_TRACE], 2);
    assert_int_equal(kept, 0);
}

static void test_too_long(void **state)
{
    struct push_end end;
    struct push *p;

    (void)state;
    offer.limit = trace.n - 1;
    offer.length = trace.n;
    assert_int_equal(refused(), RECEPTION_TOO_LARGE);
    offer.length = 0;
    p = begun(NULL);
    assert_true(push_take(p, trace.data, trace.n) < 0);
    push_refuse(p, &end);
    assert_int_equal(end.reception, RECEPTION_TOO_LARGE);
    assert_int_equal(counters.pushes[RECEPTION_TOO_LARGE], 2);
}

/* The sender goes: before the end nothing is kept, while it is published all is. */
static void test_dropped(void **state)
{
    struct end end = {0};
    struct push *p = begun(&end);

    (void)state;
    take(p, trace.data, trace.n);
    push_drop(p);
    fixture_settle();
    assert_int_equal(counters.pushes[RECEPTION_CUT], 1);
    p = begun(&end);
    take(p, trace.data, trace.n);
    assert_int_equal(finish(p), 0);
    push_drop(p);
    fixture_settle();
    assert_int_equal(kept, 1);
    assert_int_equal(end.times, 0);
}

static void test_one_at_a_time(void **state)
{
    struct push *all[PUSHES_MAX];
    char names[PUSHES_MAX][8];

    (void)state;
    for (int i = 0; i < PUSHES_MAX; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "s%d", i);
        offer.service = names[i];
        all[i] = begun(NULL);
        assert_int_equal(refused(), RECEPTION_BUSY);
        assert_true(wait_time > 0);
    }
    offer.service = "another";
    assert_int_equal(refused(), RECEPTION_REFUSED);
    push_drop(all[3]);
    push_drop(begun(NULL));
    for (int i = 0; i < PUSHES_MAX; i++)
        if (i != 3)
            push_drop(all[i]);
}

static void test_allowance(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        push_drop(begun(NULL));
    assert_int_equal(refused(), RECEPTION_LIMITED);
    assert_true(wait_time > 30 * USEC_PER_SEC && wait_time <= 40 * USEC_PER_SEC);
    offer.service = "another";
    push_drop(begun(NULL));
    offer.service = "shop";
    boot_shift += 40 * (int64_t)USEC_PER_SEC;
    push_drop(begun(NULL));
    assert_int_equal(counters.pushes[RECEPTION_LIMITED], 1);
    boot_shift = 0;
}

static void test_stopping(void **state)
{
    struct end end = {0};
    struct push *p = begun(&end);

    (void)state;
    take(p, trace.data, 100);
    pushes_drain(pushes);
    offer.service = "another";
    assert_int_equal(refused(), RECEPTION_REFUSED);
    assert_int_equal(end.times, 0);
    pushes_cut(pushes);
    assert_int_equal(end.times, 1);
    assert_int_equal(end.reception, RECEPTION_REFUSED);
    assert_true(pushes_idle(pushes));
}

/* No room for the first bytes, or a disk that fails at the end. */
static void test_disk(void **state)
{
    struct end end = {0};
    struct push *p;

    (void)state;
    inject("openat", 1, ENOSPC);
    assert_int_equal(refused(), RECEPTION_REFUSED);
    inject_nothing();
    p = begun(&end);
    take(p, trace.data, trace.n);
    assert_int_equal(finish(p), 0);
    inject("fsync", 1, EIO);
    fixture_settle();
    inject_nothing();
    assert_int_equal(end.times, 1);
    assert_int_equal(end.reception, RECEPTION_FAILED);
    assert_string_equal(end.key, "");
    assert_int_equal(kept, 0);
}

/* It is kept, or the sender is told that it is not. */
static void test_no_memory(void **state)
{
    struct incident_tag *tag = incident_tag_new(NULL);
    unsigned failed = 0;
    bool enough = false;

    (void)state;
    assert_non_null(tag);
    incident.begins = (struct incident *)(uintptr_t)tag;
    for (long n = 0; !enough; n++) {
        struct end end = {0};
        struct push_end refusal;
        struct push *p = NULL;
        char service[32];
        enum reception r;

        (void)snprintf(service, sizeof(service), "s%ld", n);
        offer.service = service;
        told.times = 0;
        allocations_left = n;
        r = push_begin(pushes, &offer, &handlers, &end, &p, &wait_time);
        if (p && (push_take(p, trace.data, trace.n) < 0 || finish(p) < 0)) {
            assert_true(told.times <= 1 && !told.kept);
            push_refuse(p, &refusal);
            r = refusal.reception;
        }
        enough = allocations_left >= 0;
        allocations_left = -1;
        fixture_settle();
        if (r != RECEPTION_KEPT) {
            assert_int_equal(r, RECEPTION_FAILED);
            assert_int_equal(end.times, 0);
            failed++;
        } else {
            assert_int_equal(end.times, 1);
            assert_true(end.key[0] || end.reception == RECEPTION_FAILED);
            assert_int_equal(told.times, 1);
            assert_int_equal(told.kept, end.key[0] != '\0');
            told.kept = false;
        }
        assert_true(pushes_idle(pushes));
    }
    incident_tag_unref(tag);
    assert_true(failed > 8);
    assert_int_equal(kept, counters.pushes[RECEPTION_KEPT]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_kept),        TEST(test_damaged),  TEST(test_no_trace),
        TEST(test_too_long),    TEST(test_dropped),  TEST(test_one_at_a_time),
        TEST(test_allowance),   TEST(test_stopping), TEST(test_disk),
        TEST(test_no_memory),   TEST(test_evidence), TEST(test_evidence_is_lost),
        TEST(test_no_incident),
    };

    return cmocka_run_group_tests_name("push", tests, NULL, NULL);
}
