/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/artifact/artifacts.h"
#include "daemon/capture/targets.h"
#include "tests/support/text.h"

#define REAL (1773480413 * USEC_PER_SEC)
#define BOOT (40 * USEC_PER_DAY)
#define INTERVAL (300 * USEC_PER_SEC)

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

#define JOBS 3
#define PER_JOB 64

struct world {
    struct config config;
    struct job_config jobs[JOBS];
    struct target_list lists[JOBS];
    struct target_config items[JOBS][PER_JOB];
    const struct target_list *views[JOBS];
    struct targets *targets;
    struct targets_change change;
};

static struct world *world_new(void)
{
    static const char *const names[JOBS] = {"checkout", "basket", "users"}; /* not sorted */
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->config.jobs = w->jobs;
    w->config.n_jobs = JOBS;
    for (size_t j = 0; j < JOBS; j++) {
        w->jobs[j] = (struct job_config){
            .name = TEXT(names[j]),
            .path = TEXT("/debug/pprof/trace"),
            .interval = INTERVAL,
            .window = 2 * USEC_PER_SEC,
            .timeout = 17 * USEC_PER_SEC,
            .body_size_limit = 1 << 20,
        };
        w->lists[j].items = w->items[j];
        w->views[j] = &w->lists[j];
    }
    w->targets = targets_new("thishost");
    assert_non_null(w->targets);
    return w;
}

static void clear(struct world *w)
{
    for (size_t j = 0; j < JOBS; j++) {
        for (size_t i = 0; i < w->lists[j].n; i++) {
            address_done(&w->items[j][i].parsed);
            free(w->items[j][i].address);
        }
        w->lists[j].n = 0;
    }
}

static struct target_config *add(struct world *w, size_t job, const char *address)
{
    struct target_config *item = &w->items[job][w->lists[job].n++];
    const char *why;

    assert_true(w->lists[job].n <= PER_JOB);
    *item = (struct target_config){.address = strdup(address)};
    assert_int_equal(address_parse(address, &item->parsed, &why), 0);
    return item;
}

static int try_update(struct world *w, usec boot)
{
    return targets_update(w->targets, &w->config, w->views, REAL + boot - BOOT, boot, &w->change);
}

static void update(struct world *w, usec boot)
{
    assert_int_equal(try_update(w, boot), 0);
    for (size_t i = 0; i < targets_count(w->targets); i++) {
        assert_false(targets_at(w->targets, i)->gone);
        assert_false(targets_at(w->targets, i)->marked);
    }
}

static void world_free(struct world *w)
{
    targets_free(w->targets);
    clear(w);
    free(w);
}

static struct target *find(struct world *w, const char *job, const char *address)
{
    struct target *found = NULL;

    for (size_t i = 0; i < targets_count(w->targets); i++) {
        struct target *t = targets_at(w->targets, i);

        if (strcmp(t->job->name, job) == 0 && strcmp(t->address, address) == 0) {
            assert_null(found);
            found = t;
        }
    }
    return found;
}

static void assert_change(const struct world *w, size_t added, size_t removed, size_t moved)
{
    assert_int_equal(w->change.n_added, added);
    assert_int_equal(w->change.n_removed, removed);
    assert_int_equal(w->change.n_moved, moved);
}

static void test_empty(void **state)
{
    struct world *w = world_new();

    (void)state;
    assert_int_equal(targets_count(w->targets), 0);
    update(w, BOOT);
    assert_change(w, 0, 0, 0);
    w->config.n_jobs = 0;
    update(w, BOOT);
    assert_change(w, 0, 0, 0);
    world_free(w);
    targets_free(NULL);
}

static void test_added_and_removed(void **state)
{
    struct world *w = world_new();
    struct target *a, *b;

    (void)state;
    add(w, 0, "a:1");
    add(w, 0, "b:1");
    add(w, 1, "a:1"); /* another job's: another target */
    update(w, BOOT);
    assert_change(w, 3, 0, 0);
    assert_int_equal(targets_count(w->targets), 3);
    a = find(w, "checkout", "a:1");
    b = find(w, "checkout", "b:1");
    assert_non_null(a);
    assert_non_null(find(w, "basket", "a:1"));
    assert_true(a->lanes->schedule.interval == INTERVAL);
    assert_true(a->lanes->schedule.hash == schedule_hash("checkout", "a:1", "a"));
    assert_true(a->lanes->due == USEC_NEVER);
    clear(w);
    add(w, 0, "b:1");
    add(w, 2, "c:1");
    update(w, BOOT + 1);
    assert_change(w, 1, 2, 0);
    assert_ptr_equal(find(w, "checkout", "b:1"), b);
    assert_ptr_equal(w->change.added[0]->target, find(w, "users", "c:1"));
    for (size_t i = 0; i < 2; i++)
        assert_true(w->change.removed[i]->target->gone);
    assert_true(a->lanes == w->change.removed[0] || a->lanes == w->change.removed[1]);
    world_free(w);
}

/* A target with a capture in flight lives on until that is done. */
static void test_removed_in_flight(void **state)
{
    struct world *w = world_new();
    struct target *t;

    (void)state;
    add(w, 0, "a:1");
    update(w, BOOT);
    t = target_ref(find(w, "checkout", "a:1"));
    clear(w);
    update(w, BOOT);
    update(w, BOOT); /* the set has let go of it */
    assert_true(t->gone);
    assert_int_equal(t->refs, 1);
    assert_string_equal(t->url, "http://a:1/debug/pprof/trace");
    target_unref(t);
    world_free(w);
}

static void test_unchanged_keeps_state(void **state)
{
    struct world *w = world_new();
    struct schedule schedule;
    struct target *t;

    (void)state;
    add(w, 0, "a:1");
    update(w, BOOT);
    t = find(w, "checkout", "a:1");
    t->lanes->due = 77;
    t->lanes->last_start = 5;
    t->lanes->attempts = 3;
    t->lanes->failures = 2;
    t->lanes->state = OUTCOME_TIMEOUT;
    t->lanes->last.bytes = 4711;
    t->peer = (struct peer_hint){.pid = 12, .fd = 3};
    schedule = t->lanes->schedule;
    add(w, 0, "b:1");
    update(w, BOOT + 123456789);
    assert_change(w, 1, 0, 0);
    assert_ptr_equal(find(w, "checkout", "a:1"), t);
    assert_int_equal(t->lanes->due, 77);
    assert_int_equal(t->lanes->last_start, 5);
    assert_int_equal(t->lanes->attempts, 3);
    assert_int_equal(t->lanes->failures, 2);
    assert_int_equal(t->lanes->state, OUTCOME_TIMEOUT);
    assert_int_equal(t->lanes->last.bytes, 4711);
    assert_int_equal(t->peer.pid, 12);
    assert_memory_equal(&t->lanes->schedule, &schedule, sizeof(schedule));
    t->lanes->due = USEC_NEVER;
    world_free(w);
}

static void test_changed_settings(void **state)
{
    struct label service = {TEXT("service"), TEXT("till")};
    struct world *w = world_new();
    struct schedule schedule;
    struct target *t;

    (void)state;
    add(w, 0, "a:1");
    update(w, BOOT);
    t = find(w, "checkout", "a:1");
    t->lanes->state = OUTCOME_TLS;
    schedule = t->lanes->schedule;
    w->jobs[0].https = true;
    w->jobs[0].window = 3 * USEC_PER_SEC;
    w->jobs[0].access.auth.credentials_file = TEXT("/token");
    w->items[0][0].labels = &service;
    w->items[0][0].n_labels = 1;
    update(w, BOOT + 5);
    assert_change(w, 0, 0, 0);
    assert_ptr_equal(find(w, "checkout", "a:1"), t);
    assert_string_equal(t->url, "https://a:1/debug/pprof/trace");
    assert_string_equal(t->job->access.auth.credentials_file, "/token");
    assert_string_equal(t->service, "till");
    assert_int_equal(t->n_labels, 1);
    assert_int_equal(t->lanes->state, OUTCOME_TLS);
    assert_memory_equal(&t->lanes->schedule, &schedule, sizeof(schedule));
    world_free(w);
}

static void test_changed_interval(void **state)
{
    struct world *w = world_new();
    struct target *t, *other;

    (void)state;
    add(w, 0, "a:1");
    add(w, 1, "b:1");
    update(w, BOOT);
    t = find(w, "checkout", "a:1");
    other = find(w, "basket", "b:1");
    t->lanes->last_start = BOOT;
    w->jobs[0].interval = INTERVAL / 2;
    update(w, BOOT + 7);
    assert_change(w, 0, 0, 1);
    assert_ptr_equal(w->change.moved[0], t->lanes);
    assert_true(t->lanes->schedule.interval == INTERVAL / 2);
    assert_true(other->lanes->schedule.interval == INTERVAL);
    assert_true(t->lanes->last_start == BOOT);
    update(w, BOOT + 8);
    assert_change(w, 0, 0, 0);
    world_free(w);
}

static struct lane *lane(struct world *w, const char *name)
{
    return target_lane(find(w, "checkout", "a:1"), artifacts_find(name));
}

/* Each artifact is a lane of its own; a target's traces are due as if there were no others. */
static void test_artifacts(void **state)
{
    struct world *w = world_new();
    struct schedule before;

    (void)state;
    add(w, 0, "a:1");
    add(w, 0, "b:1");
    update(w, BOOT);
    assert_change(w, 2, 0, 0);
    assert_null(lane(w, "mutex"));
    before = lane(w, "trace")->schedule;
    w->jobs[0].artifacts = 1u << KIND_TRACE | 1u << KIND_MUTEX;
    update(w, BOOT);
    assert_change(w, 2, 0, 0);
    assert_int_equal(w->change.n_first, 0);
    assert_int_equal(targets_scheduled(w->targets), 4);
    assert_memory_equal(&lane(w, "trace")->schedule, &before, sizeof(before));
    for (uint64_t cycle = 0; cycle < 100; cycle++)
        assert_int_equal(schedule_due(&lane(w, "mutex")->schedule, cycle),
                         schedule_due(&before, cycle) + INTERVAL / KINDS * KIND_MUTEX);
    assert_ptr_equal(target_primary(find(w, "checkout", "a:1")), lane(w, "trace"));
    assert_string_equal(target_shown(lane(w, "trace")), "http://a:1/debug/pprof/trace");
    assert_string_equal(target_shown(lane(w, "mutex")), "http://a:1/debug/pprof/mutex");
    add(w, 0, "c:1"); /* the first ones of new targets come before all others */
    update(w, BOOT);
    assert_change(w, 2, 0, 0);
    assert_int_equal(w->change.n_first, 1);
    assert_ptr_equal(w->change.added[0], find(w, "checkout", "c:1")->lanes);
    w->jobs[0].interval = INTERVAL / 2;
    update(w, BOOT);
    assert_change(w, 0, 0, 6);
    w->jobs[0].of_kind[KIND_MUTEX].interval = 3 * INTERVAL; /* its own: the traces stay */
    before = lane(w, "trace")->schedule;
    update(w, BOOT);
    assert_change(w, 0, 0, 3);
    assert_memory_equal(&lane(w, "trace")->schedule, &before, sizeof(before));
    assert_true(lane(w, "mutex")->schedule.interval == 3 * INTERVAL);
    w->jobs[0].interval = INTERVAL / 4;
    update(w, BOOT);
    assert_change(w, 0, 0, 3);
    assert_true(lane(w, "trace")->schedule.interval == INTERVAL / 4);
    assert_true(lane(w, "mutex")->schedule.interval == 3 * INTERVAL);
    w->jobs[0].artifacts = 1u << KIND_MUTEX;
    update(w, BOOT);
    assert_change(w, 0, 3, 0);
    assert_ptr_equal(target_primary(find(w, "checkout", "a:1")), lane(w, "mutex"));
    assert_non_null(lane(w, "trace")); /* what is known of it stays */
    clear(w);
    update(w, BOOT);
    assert_change(w, 0, 3, 0);
    world_free(w);
}

static void test_twice_is_once(void **state)
{
    struct label first = {TEXT("service"), TEXT("first")};
    struct label second = {TEXT("service"), TEXT("second")};
    struct world *w = world_new();
    struct target_config *item;

    (void)state;
    item = add(w, 0, "a:1");
    item->labels = &first;
    item->n_labels = 1;
    add(w, 0, "b:1");
    item = add(w, 0, "a:1");
    item->labels = &second;
    item->n_labels = 1;
    add(w, 0, "b:1");
    add(w, 0, "b:1");
    update(w, BOOT);
    assert_change(w, 2, 0, 0);
    assert_string_equal(find(w, "checkout", "a:1")->service, "first");
    assert_string_equal(find(w, "checkout", "b:1")->host, "b"); /* not shared with itself */
    update(w, BOOT);
    assert_change(w, 0, 0, 0);
    world_free(w);
}

static void test_hosts(void **state)
{
    struct world *w = world_new();

    (void)state;
    add(w, 0, "a:1");
    add(w, 0, "a:2");
    add(w, 0, "b:1");
    add(w, 1, "b:2"); /* another job: another directory */
    add(w, 0, "127.0.0.1:1");
    add(w, 0, "127.0.0.1:2");
    add(w, 0, "unix:/x.sock");
    update(w, BOOT);
    assert_string_equal(find(w, "checkout", "a:1")->host, "a_1");
    assert_string_equal(find(w, "checkout", "a:2")->host, "a_2");
    assert_string_equal(find(w, "checkout", "b:1")->host, "b");
    assert_string_equal(find(w, "basket", "b:2")->host, "b");
    assert_string_equal(find(w, "checkout", "127.0.0.1:1")->host, "thishost");
    assert_string_equal(find(w, "checkout", "127.0.0.1:2")->host, "thishost");
    assert_string_equal(find(w, "checkout", "unix:/x.sock")->host, "thishost");
    w->lists[0].n--; /* the socket: the last one */
    address_done(&w->items[0][w->lists[0].n].parsed);
    free(w->items[0][w->lists[0].n].address);
    update(w, BOOT);
    assert_change(w, 0, 1, 0);
    world_free(w);
}

static void test_random(void **state)
{
    static const char *const names[JOBS] = {"checkout", "basket", "users"};
    unsigned seed = (unsigned)time(NULL);
    struct world *w = world_new();
    bool had[JOBS][PER_JOB] = {{false}};

    (void)state;
    print_message("seed %u\n", seed);
    srandom(seed);
    for (unsigned round = 0; round < 200; round++) {
        bool has[JOBS][PER_JOB] = {{false}};
        size_t added = 0, removed = 0, total = 0;
        char address[32];

        clear(w);
        for (size_t j = 0; j < JOBS; j++) {
            for (size_t k = (size_t)random() % PER_JOB; k > 0; k--) {
                size_t i = (size_t)random() % 40;

                (void)snprintf(address, sizeof(address), "h%zu:%zu", i / 3, i + 1);
                has[j][i] = true;
                add(w, j, address);
            }
            for (size_t i = 0; i < PER_JOB; i++) {
                total += has[j][i];
                added += has[j][i] && !had[j][i];
                removed += had[j][i] && !has[j][i];
            }
        }
        update(w, BOOT + round);
        assert_change(w, added, removed, 0);
        assert_int_equal(targets_count(w->targets), total);
        for (size_t j = 0; j < JOBS; j++) {
            for (size_t i = 0; i < PER_JOB; i++) {
                struct target *t;

                (void)snprintf(address, sizeof(address), "h%zu:%zu", i / 3, i + 1);
                t = find(w, names[j], address);
                assert_int_equal(t != NULL, has[j][i]);
                /* last_start tells who it is: set at birth, kept as long as it lives */
                if (t && !had[j][i])
                    t->lanes->last_start = j * 1000 + i + 1;
                else if (t)
                    assert_int_equal(t->lanes->last_start, j * 1000 + i + 1);
            }
        }
        memcpy(had, has, sizeof(had));
    }
    world_free(w);
}

/* Whichever allocation fails: everything is as before, or as it should be but for old targets that
 * may keep their old settings. LeakSanitizer watches over the rest. */
static void test_out_of_memory(void **state)
{
    struct world *w = world_new();
    struct target *kept, *leaving;
    long n = 0;
    int r = -ENOMEM;

    (void)state;
    add(w, 0, "kept:1");
    add(w, 1, "leaving:1");
    update(w, BOOT);
    kept = find(w, "checkout", "kept:1");
    leaving = find(w, "basket", "leaving:1");
    clear(w);
    add(w, 0, "kept:1");
    add(w, 0, "new:1");
    add(w, 2, "new:2");
    w->jobs[0].interval = INTERVAL / 3;
    w->jobs[2].artifacts = 1u << KIND_TRACE | 1u << KIND_MUTEX;
    for (; r < 0; n++) {
        memset(&w->change, 0xa5, sizeof(w->change));
        allocations_left = n;
        r = try_update(w, BOOT);
        allocations_left = -1;
        if (r == 0)
            break;
        assert_int_equal(r, -ENOMEM);
        assert_int_equal(targets_count(w->targets), 2);
        assert_ptr_equal(find(w, "checkout", "kept:1"), kept);
        assert_ptr_equal(find(w, "basket", "leaving:1"), leaving);
        assert_false(kept->gone || leaving->gone || kept->marked || leaving->marked);
        assert_int_equal(kept->refs, 1);
        assert_true(kept->lanes->schedule.interval == INTERVAL);
        assert_true(kept->job->intervals[KIND_TRACE] == INTERVAL);
        assert_string_equal(kept->host, "kept");
    }
    assert_true(n > 20);
    assert_change(w, 3, 1, kept->job->intervals[KIND_TRACE] == INTERVAL ? 0 : 1);
    assert_true(kept->lanes->schedule.interval == kept->job->intervals[KIND_TRACE]);
    assert_true(leaving->gone);
    update(w, BOOT);
    assert_true(kept->lanes->schedule.interval == INTERVAL / 3);
    world_free(w);
    allocations_left = 1;
    assert_null(targets_new("thishost"));
    allocations_left = -1;
}

/* Targets that say the same of how they are asked share what they say; reloads keep their state. */
static void test_variants(void **state)
{
    struct world *w = world_new();
    struct target *t;

    (void)state;
    add(w, 0, "a:1");
    for (const char *name = "b"; *name; name = *name == 'b' ? "c" : "") {
        struct target_config *item = add(w, 0, *name == 'b' ? "b:1" : "c:1");

        item->https = CONFIG_ON;
        item->path = TEXT("/own/trace");
        item->query = TEXT("x=1");
    }
    add(w, 0, "d:1")->host = TEXT("pod");
    update(w, BOOT);
    assert_int_equal(targets_count(w->targets), 4);
    t = targets_at(w->targets, 1);
    assert_string_equal(t->job->name, "checkout");
    assert_string_equal(t->url, "https://b:1/own/trace");
    assert_string_equal(t->shown, "https://b:1/own/trace");
    assert_ptr_equal(t->job, targets_at(w->targets, 2)->job);
    assert_ptr_not_equal(t->job, targets_at(w->targets, 0)->job);
    assert_ptr_equal(targets_at(w->targets, 0)->job, targets_at(w->targets, 3)->job);
    assert_string_equal(targets_at(w->targets, 0)->url, "http://a:1/debug/pprof/trace");
    assert_string_equal(targets_at(w->targets, 0)->host, "a");
    assert_string_equal(targets_at(w->targets, 3)->host, "pod");

    w->items[0][1].https = CONFIG_INHERIT;
    w->items[0][1].path = w->items[0][1].query = NULL;
    update(w, BOOT);
    assert_ptr_equal(targets_at(w->targets, 1), t);
    assert_string_equal(t->url, "http://b:1/debug/pprof/trace");
    assert_int_equal(w->change.n_added, 0);
    w->items[0][2].path = w->items[0][2].query = w->items[0][3].host = NULL;
    world_free(w);
}

/* Two of one host, as their labels say, have their ports in the key. */
static void test_own_host_is_shared(void **state)
{
    struct world *w = world_new();

    (void)state;
    add(w, 0, "a:1")->host = TEXT("pod");
    add(w, 0, "b:2")->host = TEXT("pod");
    update(w, BOOT);
    assert_string_equal(targets_at(w->targets, 0)->host, "pod_1");
    assert_string_equal(targets_at(w->targets, 1)->host, "pod_2");
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_added_and_removed),
        cmocka_unit_test(test_removed_in_flight),
        cmocka_unit_test(test_unchanged_keeps_state),
        cmocka_unit_test(test_changed_settings),
        cmocka_unit_test(test_changed_interval),
        cmocka_unit_test(test_artifacts),
        cmocka_unit_test(test_twice_is_once),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_variants),
        cmocka_unit_test(test_own_host_is_shared),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
