/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/disk.h"

#define JOBS 2000

struct job {
    struct disk_job base;
    struct disk *disk;
    int number;
    bool again;
};

static atomic_int running, most, started;
static pthread_t loop_thread;
static int n_done, order[JOBS];

static int run(struct disk_job *base)
{
    struct job *job = (struct job *)base;
    int now = atomic_fetch_add(&running, 1) + 1, seen = atomic_load(&most);
    sigset_t blocked;

    while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now))
        ;
    if (pthread_equal(pthread_self(), loop_thread) ||
        pthread_sigmask(SIG_BLOCK, NULL, &blocked) != 0 || !sigismember(&blocked, SIGTERM) ||
        !sigismember(&blocked, SIGHUP))
        job->number = -1000000;
    order[atomic_fetch_add(&started, 1)] = job->number;
    atomic_fetch_sub(&running, 1);
    return -job->number;
}

static void done(struct disk_job *base, int r)
{
    struct job *job = (struct job *)base;

    assert_true(pthread_equal(pthread_self(), loop_thread));
    assert_int_equal(r, -job->number);
    assert_true(job->number >= 0);
    n_done++;
    if (job->again) {
        job->again = false;
        disk_submit(job->disk, &job->base);
    }
}

static struct job jobs[JOBS];

static void submit(struct disk *d, int n)
{
    n_done = 0;
    atomic_store(&started, 0);
    for (int i = 0; i < n; i++) {
        jobs[i] = (struct job){.base = {.run = run, .done = done}, .disk = d, .number = i};
        disk_submit(d, &jobs[i].base);
    }
}

static void test_all_are_done(void **state)
{
    sd_event *event;
    struct disk *d;
    int near = 0;

    (void)state;
    assert_true(sd_event_new(&event) >= 0);
    assert_int_equal(disk_new(event, &d), 0);
    submit(d, JOBS);
    while (n_done < JOBS)
        assert_true(sd_event_run(event, UINT64_MAX) > 0);
    assert_true(atomic_load(&most) <= DISK_THREADS);
    for (int i = 0; i < JOBS; i++) /* started in order, as far as two threads can tell */
        near += order[i] >= i - DISK_THREADS && order[i] <= i + DISK_THREADS;
    assert_true(near >= JOBS * 9 / 10);
    disk_free(d);
    sd_event_unref(event);
}

static void test_free_waits(void **state)
{
    sd_event *event;
    struct disk *d;

    (void)state;
    assert_true(sd_event_new(&event) >= 0);
    assert_int_equal(disk_new(event, &d), 0);
    submit(d, 100);
    disk_free(d);
    assert_int_equal(n_done, 100);
    sd_event_unref(event);
}

static void test_submit_from_done(void **state)
{
    sd_event *event;
    struct disk *d;
    struct job job;

    (void)state;
    assert_true(sd_event_new(&event) >= 0);
    assert_int_equal(disk_new(event, &d), 0);
    n_done = 0;
    atomic_store(&started, 0);
    job = (struct job){.base = {.run = run, .done = done}, .disk = d, .number = 7, .again = true};
    disk_submit(d, &job.base);
    disk_free(d);
    assert_int_equal(n_done, 2);
    disk_free(NULL);
    sd_event_unref(event);
}

static int setup(void **state)
{
    (void)state;
    loop_thread = pthread_self();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_are_done),
        cmocka_unit_test(test_free_waits),
        cmocka_unit_test(test_submit_from_done),
    };

    return cmocka_run_group_tests_name("disk", tests, setup, NULL);
}
