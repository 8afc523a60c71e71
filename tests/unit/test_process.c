/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/control/process.h"

#define BIG (64u << 20)

static struct process *p;

static int set_up(void **state)
{
    (void)state;
    return process_new(&p);
}

static int tear_down(void **state)
{
    (void)state;
    process_free(p);
    return 0;
}

static struct process_facts facts(void)
{
    struct process_facts f;

    process_read(p, &f);
    return f;
}

static void test_cpu_goes_on(void **state)
{
    double before = facts().cpu_seconds;

    (void)state;
    while (facts().cpu_seconds < before + 0.01) /* which costs what it waits for */
        ;
    assert_true(facts().children_cpu_seconds >= 0);
}

static void test_memory(void **state)
{
    struct process_facts before = facts(), after;
    char *block = malloc(BIG);

    (void)state;
    assert_non_null(block);
    memset(block, 1, BIG);
    after = facts();
    assert_true(before.resident_bytes > 0);
    assert_true(after.resident_bytes > before.resident_bytes + BIG / 2);
    assert_true(after.virtual_bytes >= after.resident_bytes);
    assert_int_equal(block[BIG - 1], 1);
    free(block);
}

static uint64_t count_fds(void)
{
    uint64_t n = 0;

    for (int fd = 0; fd < 4096; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void test_descriptors(void **state)
{
    uint64_t before = facts().open_fds;
    int fds[2];
    struct rlimit limit;

    (void)state;
    assert_int_equal(before, count_fds());
    assert_return_code(pipe(fds), 0);
    assert_int_equal(facts().open_fds, before + 2);
    (void)close(fds[0]);
    (void)close(fds[1]);
    assert_int_equal(facts().open_fds, before);
    assert_return_code(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(facts().max_fds, limit.rlim_cur);
}

/* It is then that somebody looks. */
static void test_without_a_descriptor_left(void **state)
{
    struct rlimit limit, none;
    struct process_facts f;

    (void)state;
    assert_return_code(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    assert_return_code(setrlimit(RLIMIT_NOFILE, &none), 0);
    f = facts();
    assert_return_code(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(f.open_fds > 0);
    assert_true(f.resident_bytes > 0);
    assert_int_equal(f.max_fds, 0);
}

static void test_start(void **state)
{
    usec now = clock_real(), start = facts().start;

    (void)state;
    /* ticks are 10 ms; the program is not yet a minute old, or the machine is very slow */
    assert_true(start <= now + 20 * USEC_PER_MSEC);
    assert_true(start > now - 10 * USEC_PER_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cpu_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_descriptors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_a_descriptor_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_start, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
