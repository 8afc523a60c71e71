/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int changed = 7;                          /* in a page that is written to */
static const char constant[] = "still the same"; /* in one that is not */

/* A line of /proc/self/status, in KiB. */
static long status(const char *name)
{
    FILE *f = fopen("/proc/self/status", "re");
    char line[256];
    long value = -1;

    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtol(line + strlen(name), NULL, 10);
    }
    (void)fclose(f);
    assert_true(value > 0);
    return value;
}

static void test_file_pages(void **state)
{
    long before, after;

    (void)state;
    changed = 8;
    before = status("RssFile:");
    memory_give_back();
    after = status("RssFile:");
    assert_true(after < before);
    assert_int_equal(changed, 8);
    assert_string_equal(constant, "still the same");
    memory_give_back();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_file_pages)};

    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
