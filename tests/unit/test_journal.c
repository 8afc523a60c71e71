/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "daemon/rows/journal.h"
#include "tests/support/scratch.h"

#define DAY "2026-11-21"
#define NOW (1795273445 * USEC_PER_SEC) /* 2026-11-21T15:04:05Z */
#define LEAF DAY "+checkout+web-3-150405-00000007"

static int root = -1;

static int setup(void **state)
{
    assert_int_equal(scratch_setup(state), 0);
    return journal_open(scratch_dir, &root);
}

static int teardown(void **state)
{
    root = close_fd(root);
    return scratch_teardown(state);
}

static uint64_t add(const char *rows)
{
    const struct journal_place place = {"web-3", NOW, 7};
    uint64_t size;

    assert_int_equal(journal_append(root, &place, DAY, "checkout", rows, strlen(rows), &size), 0);
    return size;
}

static bool there(const char *name)
{
    return faccessat(root, name, F_OK, 0) == 0;
}

static unsigned seal(void)
{
    unsigned dropped;

    assert_int_equal(journal_seal(root, &dropped), 0);
    return dropped;
}

/* What a file of ready/ inflates to; in a static buffer. */
static const char *inflated(const char *name)
{
    static char text[4096];
    int fd = openat(root, name, O_RDONLY), n;
    gzFile in = fd < 0 ? NULL : gzdopen(fd, "rb");

    assert_non_null(in);
    n = gzread(in, text, sizeof(text) - 1);
    assert_true(n >= 0);
    text[n] = '\0';
    assert_int_equal(gzclose(in), Z_OK);
    return text;
}

/* Bytes behind what is there, as a power failure leaves them. */
static void tear(const char *name, const char *data, size_t n)
{
    int fd = openat(root, name, O_WRONLY | O_APPEND);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, n), n);
    (void)close(fd);
}

static void test_way(void **state)
{
    char name[ROWFILE_NAME_MAX];
    uint64_t size;
    struct stat st;
    int fd;

    (void)state;
    assert_int_equal(journal_next(root, name, &size, &fd), -ENOENT);
    assert_int_equal(add("{\"a\":1}\n"), 8);
    assert_int_equal(add("{\"a\":2}\n{\"a\":3}\n"), 24);
    assert_true(there("open/" LEAF ".jsonl"));
    assert_int_equal(seal(), 0);
    assert_false(there("open/" LEAF ".jsonl"));
    assert_string_equal(inflated("ready/" LEAF ".jsonl.gz"), "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
    assert_int_equal(journal_next(root, name, &size, &fd), 0);
    assert_string_equal(name, LEAF ".jsonl.gz");
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(size, st.st_size);
    (void)close(fd);
    assert_int_equal(journal_remove(root, name), 0);
    assert_int_equal(journal_remove(root, name), 0);
    assert_int_equal(journal_next(root, name, &size, &fd), -ENOENT);
    assert_int_equal(seal(), 0);
}

static void test_days_and_services(void **state)
{
    const struct journal_place place = {"web-3", NOW, 9};
    uint64_t size;

    (void)state;
    (void)add("{\"a\":1}\n");
    assert_int_equal(journal_append(root, &place, DAY, "check", "{\"a\":2}\n", 8, &size), 0);
    assert_int_equal(
        journal_append(root, &place, "2026-11-22", "checkout", "{\"a\":3}\n", 8, &size), 0);
    assert_int_equal(size, 8);
    (void)seal();
    assert_string_equal(inflated("ready/" LEAF ".jsonl.gz"), "{\"a\":1}\n");
    assert_string_equal(inflated("ready/" DAY "+check+web-3-150405-00000009.jsonl.gz"),
                        "{\"a\":2}\n");
    assert_string_equal(inflated("ready/2026-11-22+checkout+web-3-150405-00000009.jsonl.gz"),
                        "{\"a\":3}\n");
}

static void test_torn_lines(void **state)
{
    static const char zeros[100] = {0};
    char *longer = malloc((size_t)1 << 20);

    (void)state;
    (void)add("{\"a\":1}\n");
    tear("open/" LEAF ".jsonl", "{\"a\":", 5);
    assert_int_equal(add("{\"a\":2}\n"), 16); /* cuts it off */
    tear("open/" LEAF ".jsonl", "{\"a\":", 5);
    (void)seal();
    assert_string_equal(inflated("ready/" LEAF ".jsonl.gz"), "{\"a\":1}\n{\"a\":2}\n");

    /* Blocks that were never written, and a line that no row can be. */
    assert_non_null(longer);
    memset(longer, 'x', (size_t)1 << 20);
    (void)add("{\"a\":1}\n");
    tear("open/" LEAF ".jsonl", zeros, sizeof(zeros));
    tear("open/" LEAF ".jsonl", "}\n", 2);
    tear("open/" LEAF ".jsonl", longer, (size_t)1 << 20);
    tear("open/" LEAF ".jsonl", "\n", 1);
    (void)add("{\"a\":2}\n");
    (void)seal();
    assert_string_equal(inflated("ready/" LEAF ".jsonl.gz"), "{\"a\":1}\n{\"a\":2}\n");
    free(longer);
}

/* A kill after the rename and before the unlink: the same again. A kill before the rename leaves a
 * temporary file, which is no file of rows. */
static void test_killed_while_sealing(void **state)
{
    char name[ROWFILE_NAME_MAX];
    uint64_t size;
    int fd;

    (void)state;
    (void)add("{\"a\":1}\n");
    fd = openat(root, "ready/" LEAF ".jsonl.gz.tmp", O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(journal_next(root, name, &size, &fd), -ENOENT);
    assert_int_equal(linkat(root, "open/" LEAF ".jsonl", root, "kept", 0), 0);
    (void)seal();
    assert_int_equal(renameat(root, "kept", root, "open/" LEAF ".jsonl"), 0);
    (void)seal();
    assert_string_equal(inflated("ready/" LEAF ".jsonl.gz"), "{\"a\":1}\n");
    assert_false(there("ready/" LEAF ".jsonl.gz.tmp"));
    assert_false(there("open/" LEAF ".jsonl"));
}

/* Sparse files take no room here. */
static void make_ready(const char *name, uint64_t size)
{
    int fd = openat(root, name, O_WRONLY | O_CREAT, 0600);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    (void)close(fd);
}

static void test_room(void **state)
{
    (void)state;
    make_ready("ready/2026-11-19+s+h-150405-00000001.jsonl.gz", JOURNAL_READY_MAX / 2);
    make_ready("ready/2026-11-18+s+h-150405-00000001.jsonl.gz", JOURNAL_READY_MAX / 2);
    assert_int_equal(seal(), 0);
    (void)add("{\"a\":1}\n");
    assert_int_equal(seal(), 1);
    assert_false(there("ready/2026-11-18+s+h-150405-00000001.jsonl.gz"));
    assert_true(there("ready/2026-11-19+s+h-150405-00000001.jsonl.gz"));
    assert_true(there("ready/" LEAF ".jsonl.gz"));
}

static void test_mark(void **state)
{
    (void)state;
    assert_int_equal(journal_since(root), 0);
    assert_int_equal(journal_set_since(root, NOW), 0);
    assert_int_equal(journal_since(root), NOW);
    assert_int_equal(journal_set_since(root, NOW + USEC_PER_DAY), 0);
    assert_int_equal(journal_since(root), NOW + USEC_PER_DAY);
    tear("since", "x", 1);
    assert_int_equal(journal_since(root), 0); /* what cannot be read is not believed */
}

static void test_what_is_not_ours(void **state)
{
    (void)state;
    assert_int_equal(symlinkat("/etc/passwd", root, "open/" LEAF ".jsonl"), 0);
    {
        const struct journal_place place = {"web-3", NOW, 7};
        uint64_t size;

        assert_int_equal(journal_append(root, &place, DAY, "checkout", "{}\n", 3, &size), -ELOOP);
    }
    assert_int_equal(unlinkat(root, "open/" LEAF ".jsonl", 0), 0);
    assert_int_equal(symlinkat("/tmp", root, "other"), 0);
    assert_int_equal(unlinkat(root, "open", AT_REMOVEDIR), 0);
    assert_int_equal(renameat(root, "other", root, "open"), 0);
    assert_int_equal(journal_seal(root, &(unsigned){0}), -ENOTDIR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_way, setup, teardown),
        cmocka_unit_test_setup_teardown(test_days_and_services, setup, teardown),
        cmocka_unit_test_setup_teardown(test_torn_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed_while_sealing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_room, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mark, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_not_ours, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
