/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/artifact/artifacts.h"
#include "daemon/capture/target.h"
#include "tests/support/text.h"

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

static struct label labels[] = {{TEXT("env"), TEXT("prod")}, {TEXT("service"), TEXT("checkout")}};

static struct job_config job_config(void)
{
    return (struct job_config){
        .name = TEXT("shop"),
        .path = TEXT("/debug/pprof/trace"),
        .interval = 300 * USEC_PER_SEC,
        .window = 2 * USEC_PER_SEC,
        .timeout = 17 * USEC_PER_SEC,
        .body_size_limit = 64 << 20,
    };
}

/* What the configuration says for a target of this job becomes a target. */
static struct target *make(const struct job_config *config, const char *address, bool shared,
                           size_t n_labels)
{
    struct target_config from = {.address = TEXT(address), .labels = labels, .n_labels = n_labels};
    struct target_job *job = target_job_new(config, NULL);
    struct target *t = target_new(address);
    const char *why = NULL;

    assert_non_null(job);
    assert_non_null(t);
    assert_int_equal(address_parse(address, &from.parsed, &why), 0);
    assert_int_equal(target_fill(t, job, &from, "thishost", shared), 0);
    address_done(&from.parsed);
    target_job_unref(job);
    return t;
}

static void assert_request(const struct target *t, const char *url)
{
    char *request = target_request(t->lanes, t->job->window);

    assert_non_null(request);
    assert_string_equal(request, url);
    free(request);
}

static void assert_made(const struct job_config *config, const char *address, const char *url,
                        const char *shown, const char *host, unsigned local_port)
{
    struct target *t = make(config, address, false, 0);

    assert_string_equal(t->address, address);
    assert_request(t, url);
    assert_string_equal(t->shown, shown);
    assert_string_equal(t->host, host);
    assert_string_equal(t->service, "shop");
    assert_int_equal(t->local_port, local_port);
    assert_int_equal(t->n_labels, 0);
    assert_true(t->lanes->due == USEC_NEVER);
    assert_int_equal(t->lanes->state, OUTCOME_OK);
    target_unref(t);
}

static void test_urls(void **state)
{
    struct job_config c = job_config();

    (void)state;
    assert_made(&c, "127.0.0.1:6060", "http://127.0.0.1:6060/debug/pprof/trace?seconds=2",
                "http://127.0.0.1:6060/debug/pprof/trace", "thishost", 6060);
    assert_made(&c, "localhost", "http://localhost:80/debug/pprof/trace?seconds=2",
                "http://localhost:80/debug/pprof/trace", "thishost", 80);
    assert_made(&c, "[::1]:7", "http://[::1]:7/debug/pprof/trace?seconds=2",
                "http://[::1]:7/debug/pprof/trace", "thishost", 7);
    assert_made(&c, "[2001:db8::1]:6060", "http://[2001:db8::1]:6060/debug/pprof/trace?seconds=2",
                "http://[2001:db8::1]:6060/debug/pprof/trace", "2001:db8::1", 0);
    c.https = true;
    c.window = 1900000;
    assert_made(&c, "db.example", "https://db.example:443/debug/pprof/trace?seconds=1.9",
                "https://db.example:443/debug/pprof/trace", "db.example", 0);
    c.https = false;
    c.path = TEXT("/flight?id=7");
    c.window = 250000;
    assert_made(&c, "a:1", "http://a:1/flight?id=7&seconds=0.25", "http://a:1/flight?id=7", "a", 0);
}

/* Loopback behind a proxy is the proxy's machine: neither its name nor its processes are ours. */
static void test_behind_a_proxy(void **state)
{
    struct job_config c = job_config();
    const char url[] = "http://127.0.0.1:6060/debug/pprof/trace?seconds=2";
    const char shown[] = "http://127.0.0.1:6060/debug/pprof/trace";

    (void)state;
    c.access.proxy.url = TEXT("http://proxy:3128");
    assert_made(&c, "127.0.0.1:6060", url, shown, "127.0.0.1", 0);
    c.access.proxy.no_proxy = TEXT("127.0.0.0/8");
    assert_made(&c, "127.0.0.1:6060", url, shown, "thishost", 6060);
    /* What the environment names is not for loopback. */
    c.access.proxy = (struct proxy){.from_environment = true};
    assert_made(&c, "127.0.0.1:6060", url, shown, "thishost", 6060);
}

static void test_window_text(void **state)
{
    static const struct {
        usec window;
        const char *text;
    } rows[] = {
        {1000, "0.001"},    {100000, "0.1"}, {1999999, "1.999999"}, {3600 * USEC_PER_SEC, "3600"},
        {29900000, "29.9"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct job_config c = job_config();
        struct target *t;
        char *request;

        c.window = rows[i].window;
        t = make(&c, "a:1", false, 0);
        request = target_request(t->lanes, t->job->window);
        assert_string_equal(strchr(request, '=') + 1, rows[i].text);
        free(request);
        target_unref(t);
    }
}

static void test_unix(void **state)
{
    struct job_config c = job_config();
    struct target *t = make(&c, "unix:/run/shop/pprof.sock", true, 0);

    (void)state;
    assert_request(t, "http://localhost/debug/pprof/trace?seconds=2");
    assert_string_equal(t->shown, "unix:/run/shop/pprof.sock:/debug/pprof/trace");
    assert_string_equal(t->unix_path, "/run/shop/pprof.sock");
    assert_string_equal(t->host, "thishost");
    assert_int_equal(t->local_port, 0);
    target_unref(t);
    t = make(&c, "unix:@shop", false, 0);
    assert_string_equal(t->unix_path, "@shop");
    target_unref(t);
}

static void test_shared_host(void **state)
{
    struct job_config c = job_config();
    struct target *t = make(&c, "db:6060", true, 0);

    (void)state;
    assert_string_equal(t->host, "db_6060");
    target_unref(t);
    t = make(&c, "db", true, 0);
    assert_string_equal(t->host, "db_80");
    target_unref(t);
    t = make(&c, "127.0.0.1:6060", true, 0); /* a key of this machine has the pid in it */
    assert_string_equal(t->host, "thishost");
    target_unref(t);
}

static void test_labels(void **state)
{
    struct job_config c = job_config();
    struct target *t = make(&c, "db:6060", false, 2);

    (void)state;
    assert_string_equal(t->service, "checkout");
    assert_int_equal(t->n_labels, 2);
    assert_string_equal(t->labels[0].name, "env");
    assert_string_equal(t->labels[0].value, "prod");
    assert_ptr_not_equal(t->labels[0].value, labels[0].value);
    target_unref(t);
    t = make(&c, "db:6060", false, 1);
    assert_string_equal(t->service, "shop");
    target_unref(t);
    labels[1].value = TEXT("");
    t = make(&c, "db:6060", false, 2); /* as if it were not there, as in Prometheus */
    assert_string_equal(t->service, "shop");
    labels[1].value = TEXT("checkout");
    target_unref(t);
}

static void test_job_is_a_copy(void **state)
{
    struct job_config c = job_config();
    struct target_job *j;

    (void)state;
    c.access.auth.basic_username = TEXT("u");
    c.access.auth.basic_password_file = TEXT("/p");
    c.access.tls.ca_file = TEXT("/ca");
    c.access.tls.server_name = TEXT("name");
    c.access.tls.insecure_skip_verify = true;
    c.pid_file = TEXT("/run/pid");
    j = target_job_new(&c, NULL);
    assert_non_null(j);
    assert_string_equal(j->name, "shop");
    assert_ptr_not_equal(j->name, c.name);
    assert_string_equal(j->access.auth.basic_username, "u");
    assert_string_equal(j->access.auth.basic_password_file, "/p");
    assert_null(j->access.auth.type);
    assert_string_equal(j->access.tls.ca_file, "/ca");
    assert_null(j->access.tls.cert_file);
    assert_string_equal(j->access.tls.server_name, "name");
    assert_true(j->access.tls.insecure_skip_verify);
    assert_string_equal(j->pid_file, "/run/pid");
    assert_true(j->intervals[KIND_TRACE] == c.interval && j->window == c.window &&
                j->timeout == c.timeout);
    assert_int_equal(j->body_size_limit, c.body_size_limit);
    assert_ptr_equal(target_job_ref(j), j);
    target_job_unref(j);
    target_job_unref(j);
    target_job_unref(NULL);
}

/* Where the others are asked for follows from the path of traces, or is said. */
static void test_artifacts(void **state)
{
    const struct artifact *mutex = artifacts_find("mutex");
    struct job_config c = job_config();
    struct target *t;
    struct lane *l;
    char *request;

    (void)state;
    c.artifacts = 1u << KIND_TRACE | 1u << KIND_MUTEX;
    t = make(&c, "unix:/run/x.sock", false, 0);
    l = target_lane(t, mutex);
    assert_ptr_equal(t->lanes->next, l);
    assert_string_equal(target_shown(l), "unix:/run/x.sock:/debug/pprof/mutex");
    request = target_request(l, 3 * USEC_PER_SEC);
    assert_string_equal(request, "http://localhost/debug/pprof/mutex?seconds=3");
    free(request);
    target_unref(t);
    c.artifacts = 1u << KIND_HEAP;
    t = make(&c, "a:1", false, 0); /* a snapshot is asked for without a window */
    l = target_lane(t, artifacts_find("heap"));
    assert_int_equal(target_window(t->job, l->artifact, 3 * USEC_PER_SEC), 0);
    assert_int_equal(target_window(t->job, mutex, 2900 * USEC_PER_MSEC), 2 * USEC_PER_SEC);
    request = target_request(l, 0);
    assert_string_equal(request, "http://a:1/debug/pprof/heap");
    free(request);
    assert_int_equal(target_interval(l), c.interval);
    target_unref(t);
    c.artifacts |= 1u << KIND_MUTEX;
    c.of_kind[KIND_HEAP] = (struct artifact_config){
        .interval = 7 * c.interval, .path = TEXT("/h"), .delta = ARTIFACT_DELTA_YES};
    c.of_kind[KIND_MUTEX].delta = ARTIFACT_DELTA_NO;
    t = make(&c, "a:1", false, 0); /* what is said of each counts for that one */
    l = target_lane(t, artifacts_find("heap"));
    assert_int_equal(target_interval(l), 7 * c.interval);
    assert_int_equal(target_interval(target_lane(t, mutex)), c.interval);
    assert_int_equal(target_window(t->job, l->artifact, 3 * USEC_PER_SEC), 3 * USEC_PER_SEC);
    assert_int_equal(target_window(t->job, mutex, 3 * USEC_PER_SEC), 0);
    assert_string_equal(target_shown(l), "http://a:1/h");
    target_unref(t);
    c.of_kind[KIND_HEAP] = c.of_kind[KIND_MUTEX] = (struct artifact_config){0};
    t = make(&c, "a:1", false, 0); /* nothing but `flight` says where a flight recording is */
    assert_int_equal(target_add_lane(t, artifacts_find("flight"), &l), -ENOENT);
    target_unref(t);
    c.flight = (struct flight_config){.path = TEXT("/f"), .post = true};
    t = make(&c, "a:1", false, 0);
    assert_null(target_lane(t, artifacts_find("flight")));
    assert_int_equal(target_add_lane(t, artifacts_find("flight"), &l), 0);
    assert_string_equal(target_shown(l), "http://a:1/f");
    assert_true(t->job->flight.post);
    request = target_request(l, target_window(t->job, l->artifact, 2 * USEC_PER_SEC));
    assert_string_equal(request, "http://a:1/f");
    free(request);
    target_unref(t);
    c.artifacts = 0;
    t = make(&c, "a:1", false, 0);
    assert_null(target_lane(t, mutex));
    assert_int_equal(target_add_lane(t, mutex, &l), 0); /* on demand */
    assert_ptr_equal(target_lane(t, mutex), l);
    assert_false(l->wanted);
    assert_ptr_equal(target_primary(t), t->lanes);
    target_unref(t);
    c.path = TEXT("/snapshot");
    c.artifacts = 1u << KIND_TRACE | 1u << KIND_MUTEX; /* as nobody lets through */
    t = make(&c, "a:1", false, 0);
    assert_null(target_lane(t, mutex));
    assert_int_equal(target_add_lane(t, mutex, &l), -ENOENT);
    target_unref(t);
    c.profiles_path = TEXT("/pprof/");
    t = make(&c, "a:1", false, 0);
    assert_string_equal(target_shown(target_lane(t, mutex)), "http://a:1/pprof/mutex");
    target_unref(t);
}

static void test_references(void **state)
{
    struct job_config c = job_config();
    struct target *t = make(&c, "a:1", false, 0);

    (void)state;
    assert_int_equal(t->job->refs, 1);
    assert_ptr_equal(target_ref(t), t);
    target_unref(t);
    assert_string_equal(t->address, "a:1");
    target_unref(t);
    target_unref(NULL);
}

/* Filled again with the job that it has: the last reference to it is its own. */
static void test_fill_with_its_own_job(void **state)
{
    struct job_config c = job_config();
    struct target *t = make(&c, "a:1", false, 0);
    struct target_config from = {.address = TEXT("a:1"), .parsed = {.host = TEXT("a"), .port = 1}};

    (void)state;
    assert_int_equal(target_fill(t, t->job, &from, "thishost", true), 0);
    assert_int_equal(t->job->refs, 1);
    assert_string_equal(t->job->name, "shop");
    assert_string_equal(t->host, "a_1");
    target_unref(t);
}

/* Whichever allocation fails, the target is as it was. */
static void test_out_of_memory(void **state)
{
    struct job_config c = job_config();
    struct target *t = make(&c, "a:1", false, 2);
    struct lane *only;
    struct target_config from = {
        .address = TEXT("a:1"),
        .parsed = {.unix_path = TEXT("/sock")},
        .labels = labels,
        .n_labels = 2,
    };
    struct target before = *t;
    struct target_job *job;
    long n = 0;
    int r;

    c.artifacts = 1u << KIND_TRACE | 1u << KIND_MUTEX;
    job = target_job_new(&c, NULL);
    only = t->lanes;

    (void)state;
    for (;; n++) {
        allocations_left = n;
        r = target_fill(t, job, &from, "thishost", true);
        allocations_left = -1;
        if (r == 0)
            break;
        assert_int_equal(r, -ENOMEM);
        assert_memory_equal(t, &before, sizeof(before));
        assert_ptr_equal(t->lanes, only);
        assert_null(only->next);
        assert_int_equal(job->refs, 1);
    }
    assert_true(n >= 8);
    assert_string_equal(t->unix_path, "/sock");
    assert_string_equal(target_shown(only->next), "unix:/sock:/debug/pprof/mutex");
    target_unref(t);
    for (n = 0;; n++) {
        struct target_job *other;

        allocations_left = n;
        other = target_job_new(&c, NULL);
        allocations_left = -1;
        if (other) {
            target_job_unref(other);
            break;
        }
    }
    allocations_left = 1;
    assert_null(target_new("a"));
    allocations_left = -1;
    target_job_unref(job);
}

/* What a service lacks is no failure while it has something of what its job takes. */
static void test_lane_fails(void **state)
{
    struct job_config c = job_config();
    struct lane *trace, *mutex, *heap;
    struct target *t;

    (void)state;
    c.artifacts = 1u << KIND_TRACE | 1u << KIND_MUTEX;
    t = make(&c, "127.0.0.1:6060", false, 0);
    trace = target_lane(t, artifacts_of_kind(KIND_TRACE));
    mutex = target_lane(t, artifacts_of_kind(KIND_MUTEX));
    assert_int_equal(target_add_lane(t, artifacts_of_kind(KIND_HEAP), &heap), 0);
    assert_false(target_lane_fails(trace));
    mutex->state = OUTCOME_MISSING;
    assert_false(target_lane_fails(mutex));
    heap->state = OUTCOME_MISSING; /* nobody takes it by schedule */
    assert_false(target_lane_fails(heap));
    trace->state = OUTCOME_TIMEOUT;
    assert_true(target_lane_fails(trace));
    assert_false(target_lane_fails(mutex));
    trace->state = OUTCOME_MISSING;
    assert_true(target_lane_fails(trace));
    assert_true(target_lane_fails(mutex));
    assert_false(target_lane_fails(heap));
    target_unref(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_behind_a_proxy), cmocka_unit_test(test_urls),
        cmocka_unit_test(test_window_text),    cmocka_unit_test(test_unix),
        cmocka_unit_test(test_shared_host),    cmocka_unit_test(test_labels),
        cmocka_unit_test(test_job_is_a_copy),  cmocka_unit_test(test_references),
        cmocka_unit_test(test_artifacts),      cmocka_unit_test(test_fill_with_its_own_job),
        cmocka_unit_test(test_out_of_memory),  cmocka_unit_test(test_lane_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
