/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/filehash.h"
#include "tests/support/scratch.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
/* A million times 'a': FIPS 180-4's long example. */
#define MILLION "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

struct world {
    char *dir;
    sd_event *event;
    struct disk *disk;
    int fd;
    bool told;
    int r;
    char sha256[FILEHASH_SIZE];
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->dir = scratch_new(NULL);
    w->fd = -1;
    assert_true(sd_event_new(&w->event) >= 0);
    assert_int_equal(disk_new(w->event, &w->disk), 0);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    disk_free(w->disk);
    sd_event_unref(w->event);
    scratch_free(w->dir);
    free(w);
    return 0;
}

static void on_hash(void *userdata, int r, const char *sha256)
{
    struct world *w = userdata;

    assert_int_equal(r < 0, sha256 == NULL);
    w->told = true;
    w->r = r;
    (void)snprintf(w->sha256, sizeof(w->sha256), "%s", sha256 ? sha256 : "");
}

static struct filehash *start(struct world *w, const void *data, size_t n, uint64_t size)
{
    struct filehash *h;
    int fd = open(scratch_write(w->dir, "f", data, n, 0600), O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    w->told = false;
    assert_int_equal(filehash_start(w->disk, fd, size, on_hash, w, &h), 0);
    assert_int_equal(close(fd), 0); /* it has one of its own */
    assert_false(w->told);
    return h;
}

static int hash(struct world *w, const void *data, size_t n, uint64_t size)
{
    (void)start(w, data, n, size);
    while (!w->told)
        assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
    return w->r;
}

static void test_files(void **state)
{
    struct world *w = *state;
    char *million = malloc(1000000);

    assert_non_null(million);
    memset(million, 'a', 1000000);
    assert_int_equal(hash(w, "abc", 3, 3), 0);
    assert_string_equal(w->sha256, ABC);
    assert_int_equal(hash(w, "abcdef", 6, 3), 0);
    assert_string_equal(w->sha256, ABC);
    assert_int_equal(hash(w, "abc", 3, 0), 0);
    assert_string_equal(w->sha256, NOTHING);
    assert_int_equal(hash(w, million, 1000000, 1000000), 0);
    assert_string_equal(w->sha256, MILLION);
    assert_int_equal(hash(w, "abc", 3, 4), -ENODATA);
    free(million);
}

static void test_no_file(void **state)
{
    struct world *w = *state;
    struct filehash *h;
    int fd = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_int_equal(filehash_start(w->disk, -1, 3, on_hash, w, &h), -EBADF);
    assert_int_equal(filehash_start(w->disk, fd, 3, on_hash, w, &h), 0);
    while (!w->told)
        assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
    assert_int_equal(w->r, -EISDIR);
    (void)close(fd);
}

static void test_cancel(void **state)
{
    struct world *w = *state;
    size_t descriptors = scratch_descriptors();

    filehash_cancel(NULL);
    for (unsigned i = 0; i < 20; i++)
        filehash_cancel(start(w, "abc", 3, 3));
    while (scratch_descriptors() > descriptors)
        assert_true(sd_event_run(w->event, 10000) >= 0);
    assert_false(w->told);
    assert_int_equal(scratch_descriptors(), descriptors);
}

static void test_memory(void **state)
{
    char sha256[FILEHASH_SIZE];

    (void)state;
    assert_int_equal(filehash_memory("abc", 3, sha256), 0);
    assert_string_equal(sha256, ABC);
    assert_int_equal(filehash_memory("", 0, sha256), 0);
    assert_string_equal(sha256, NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
