/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/spool/core/reserved.h"

static struct reserved reserved;
static struct reservation a, b, c;

static int setup(void **state)
{
    (void)state;
    reserved_init(&reserved);
    a = b = c = (struct reservation){0};
    reserved_add(&reserved, &a);
    reserved_add(&reserved, &b);
    reserved_add(&reserved, &c);
    return 0;
}

static void ask(struct reservation *r, uint64_t wanted)
{
    r->wanted = wanted;
}

/* A file counts once, its bytes as they grow. */
static void test_sums(void **state)
{
    (void)state;
    ask(&a, 100);
    assert_int_equal(reserved_missing_bytes(&a), 100);
    assert_int_equal(reserved_missing_files(&a), 1);
    reserved_grant(&reserved, &a);
    ask(&a, 250);
    assert_int_equal(reserved_missing_bytes(&a), 150);
    assert_int_equal(reserved_missing_files(&a), 0);
    reserved_grant(&reserved, &a);
    ask(&b, 10);
    reserved_grant(&reserved, &b);
    assert_int_equal(reserved.bytes, 260);
    assert_int_equal(reserved.files, 2);
    reserved_release(&reserved, &a);
    reserved_release(&reserved, &a);
    reserved_release(&reserved, &c);
    assert_int_equal(reserved.bytes, 10);
    assert_int_equal(reserved.files, 1);
}

static void test_first_come_first_served(void **state)
{
    (void)state;
    assert_null(reserved.waiting);
    reserved_wait(&reserved, &b);
    reserved_wait(&reserved, &a);
    reserved_wait(&reserved, &c);
    assert_true(reserved_leave(&reserved, &a));
    assert_false(reserved_leave(&reserved, &a));
    assert_ptr_equal(reserved.waiting, &b);
    assert_ptr_equal(b.next_waiting, &c);
    assert_true(reserved_leave(&reserved, &c)); /* the last: the next stands behind b */
    reserved_wait(&reserved, &a);
    assert_ptr_equal(b.next_waiting, &a);
    assert_true(reserved_leave(&reserved, &b));
    assert_true(reserved_leave(&reserved, &a));
    assert_null(reserved.waiting);
    reserved_wait(&reserved, &c);
    assert_ptr_equal(reserved.waiting, &c);
}

static unsigned count(void)
{
    unsigned n = 0;

    for (const struct reservation *r = reserved.all; r; r = r->next)
        n++;
    return n;
}

static void test_all(void **state)
{
    (void)state;
    assert_int_equal(count(), 3);
    reserved_remove(&reserved, &b); /* between two */
    assert_int_equal(count(), 2);
    reserved_remove(&reserved, &c); /* the first */
    assert_ptr_equal(reserved.all, &a);
    reserved_remove(&reserved, &a);
    assert_null(reserved.all);
}

/* As long as the file is written it is asked, then what is known counts. */
static void test_unwritten(void **state)
{
    static const char block[8192];
    FILE *f = tmpfile();

    (void)state;
    assert_non_null(f);
    ask(&a, 1 << 20);
    reserved_grant(&reserved, &a);
    assert_int_equal(reserved_unwritten(&a), 1 << 20);
    a.fd = fileno(f);
    assert_int_equal(reserved_unwritten(&a), 1 << 20);
    assert_int_equal(write(a.fd, block, sizeof(block)), sizeof(block));
    assert_int_equal(fsync(a.fd), 0);
    assert_true(reserved_unwritten(&a) <= (1 << 20) - sizeof(block));
    (void)fclose(f);
    a.fd = -1;
    a.written = 1 << 19;
    assert_int_equal(reserved_unwritten(&a), 1 << 19);
    a.written = UINT64_MAX; /* nothing more will be */
    assert_int_equal(reserved_unwritten(&a), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_sums, setup),
        cmocka_unit_test_setup(test_first_come_first_served, setup),
        cmocka_unit_test_setup(test_all, setup),
        cmocka_unit_test_setup(test_unwritten, setup),
    };

    return cmocka_run_group_tests_name("reserved", tests, NULL, NULL);
}
