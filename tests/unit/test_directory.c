/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a directory keeps is whole and lasts: every system call fails once, in each way, and is once
 * the last one of the process.
 */

#include "tests/support/spool_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/store/file/directory.h"
#include "lib/store/file/mark.h"
#include "tests/support/scratch.h"

#define BYTES 700000 /* three pieces */
#define KEY "checkout/web-1/20260314/092653-4711.trace"

static char *base;
static struct mark unmarked; /* no memory */
static char bytes[BYTES];
static char sha256[STORE_SHA256_SIZE];
static atomic_bool stop;
static int source = -1;

static void hash(const void *data, size_t n, char *hex)
{
    unsigned char digest[32];

    assert_int_equal(EVP_Digest(data, n, digest, NULL, EVP_sha256(), NULL), 1);
    for (size_t i = 0; i < sizeof(digest); i++)
        (void)sprintf(hex + 2 * i, "%02x", digest[i]);
}

static struct directory_file object(void)
{
    return (struct directory_file){
        .key = KEY, .fd = source, .size = BYTES, .sha256 = sha256, .stop = &stop};
}

static enum store_end put(const struct directory_file *f, struct store_result *ret)
{
    memset(ret, 0x5a, sizeof(*ret));
    directory_put(base, &unmarked, f, ret);
    assert_non_null(memchr(ret->text, '\0', sizeof(ret->text)));
    assert_int_equal(ret->end == STORE_DONE, ret->text[0] == '\0');
    return ret->end;
}

/* Whole and of the right content, or not there. */
static bool is_there(const char *key)
{
    struct store_result r;

    directory_head(base, key, &stop, &r);
    if (r.end == STORE_MISSING)
        return false;
    assert_int_equal(r.end, STORE_DONE);
    assert_int_equal(r.size, BYTES);
    assert_string_equal(r.sha256, sha256);
    return true;
}

/* The files below `path` that were written aside. */
static size_t count_aside(void)
{
    char command[600], line[32] = "";
    FILE *out;

    (void)snprintf(command, sizeof(command), "find '%s' -name '.contrace-*.tmp' | wc -l", base);
    out = popen(command, "r");
    assert_non_null(out);
    assert_non_null(fgets(line, sizeof(line), out));
    (void)pclose(out);
    return strtoul(line, NULL, 10);
}

static int setup(void **state)
{
    (void)state;
    (void)umask(022); /* the modes are looked at */
    base = scratch_new(NULL);
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    hash(bytes, BYTES, sha256);
    source = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    assert_true(source >= 0);
    assert_int_equal(write(source, bytes, BYTES), BYTES);
    atomic_store(&stop, false);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    inject_nothing();
    (void)close(source);
    scratch_free(base);
    return 0;
}

static void test_put(void **state)
{
    struct directory_file f = object();
    struct store_result r;
    struct stat st;

    (void)state;
    assert_false(is_there(KEY));
    assert_int_equal(put(&f, &r), STORE_DONE);
    assert_true(is_there(KEY));
    assert_int_equal(stat(scratch_path(base, "checkout"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0750);
    assert_int_equal(stat(scratch_path(base, KEY), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(put(&f, &r), STORE_DONE); /* once more is no error */
    f.key = "top";
    f.data = bytes;
    f.fd = -1;
    assert_int_equal(put(&f, &r), STORE_DONE);
    assert_true(is_there("top"));
    assert_int_equal(count_aside(), 0);
}

static void test_empty(void **state)
{
    struct directory_file f = object();
    struct store_result r;

    (void)state;
    f.size = 0;
    f.sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_int_equal(put(&f, &r), STORE_DONE);
    directory_head(base, KEY, &stop, &r);
    assert_int_equal(r.end, STORE_DONE);
    assert_int_equal(r.size, 0);
    assert_string_equal(r.sha256, f.sha256);
}

static void test_another_file_system(void **state)
{
    struct directory_file f = object();
    char *other, *own = base;
    struct store_result r;

    (void)state;
    if (access("/dev/shm", W_OK) < 0)
        skip();
    base = other = scratch_new("/dev/shm");
    assert_int_equal(put(&f, &r), STORE_DONE);
    assert_true(is_there(KEY));
    scratch_free(other);
    base = own;
}

static void test_base_is_never_made(void **state)
{
    struct directory_file f = object();
    char *own = base, *gone = strdup(scratch_path(base, "mnt"));
    struct store_result r;

    (void)state;
    base = gone;
    assert_int_equal(put(&f, &r), STORE_PARKED);
    assert_false(r.trouble);
    assert_non_null(strstr(r.text, "create it or mount it"));
    directory_head(base, KEY, &stop, &r);
    assert_int_equal(r.end, STORE_PARKED);
    base = own;
    assert_int_equal(access(gone, F_OK), -1);
    (void)scratch_text(own, "mnt", "a file");
    base = gone;
    assert_int_equal(put(&f, &r), STORE_PARKED);
    base = own;
    free(gone);
}

static void test_if_none_match(void **state)
{
    struct directory_file f = object();
    char other[STORE_SHA256_SIZE];
    struct store_result r;

    (void)state;
    f.if_none_match = true;
    assert_int_equal(put(&f, &r), STORE_DONE);
    assert_int_equal(put(&f, &r), STORE_DONE); /* the same */
    bytes[5] ^= 1;
    hash(bytes, BYTES, other);
    f.data = bytes;
    f.sha256 = other;
    assert_int_equal(put(&f, &r), STORE_REFUSED);
    assert_non_null(strstr(r.text, "other content"));
    assert_true(is_there(KEY)); /* as it was */
    f.sha256 = NULL;
    assert_int_equal(put(&f, &r), STORE_REFUSED);
    assert_int_equal(count_aside(), 0);
    f.if_none_match = false;
    f.sha256 = other;
    assert_int_equal(put(&f, &r), STORE_DONE);
    directory_head(base, KEY, &stop, &r);
    assert_string_equal(r.sha256, other);
}

/* Where RENAME_NOREPLACE is not known. */
static void test_without_noreplace(void **state)
{
    struct directory_file f = object();
    struct store_result r;
    struct stat st;

    (void)state;
    f.if_none_match = true;
    inject("renameat2", 1, EINVAL);
    assert_int_equal(put(&f, &r), STORE_DONE);
    assert_int_equal(stat(scratch_path(base, KEY), &st), 0);
    assert_int_equal(st.st_nlink, 1);
    assert_true(is_there(KEY));
    f.sha256 = NULL;
    inject("renameat2", 1, EINVAL);
    assert_int_equal(put(&f, &r), STORE_REFUSED);
    assert_int_equal(count_aside(), 0);
}

static void test_other_bytes_than_hashed(void **state)
{
    struct directory_file f = object();
    struct store_result r;

    (void)state;
    assert_int_equal(pwrite(source, "x", 1, BYTES - 1), 1);
    assert_int_equal(put(&f, &r), STORE_CHANGED);
    assert_int_equal(ftruncate(source, BYTES - 1), 0); /* shorter than was said */
    assert_int_equal(put(&f, &r), STORE_CHANGED);
    assert_false(is_there(KEY));
    assert_int_equal(count_aside(), 0);
    f.fd = -1;
    assert_int_equal(put(&f, &r), STORE_LOCAL);
    assert_non_null(strstr(r.text, "local file"));
}

static void test_stop(void **state)
{
    struct directory_file f = object();
    struct store_result r;

    (void)state;
    atomic_store(&stop, true);
    assert_int_equal(put(&f, &r), STORE_LOCAL);
    assert_int_equal(count_aside(), 0);
    atomic_store(&stop, false);
    assert_false(is_there(KEY));
}

/* Neither on the way, nor in the last place, nor out of the directory. */
static void test_links_and_ways_out(void **state)
{
    static const char *const bad[] = {
        "../out",
        "a/../../out",
        "/etc/x",
        "a//b",
        "a/./b",
        ".",
        "..",
        "",
        "a/",
        ".contrace-0123456789abcdef.tmp",
        "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/leaf",
    };
    struct directory_file f = object();
    char *outside = scratch_new(NULL);
    struct store_result r;
    struct stat st;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        f.key = bad[i];
        assert_int_equal(put(&f, &r), STORE_REFUSED);
    }
    f.key = "link/x.trace";
    assert_int_equal(symlink(outside, scratch_path(base, "link")), 0);
    assert_int_equal(put(&f, &r), STORE_PARKED);
    assert_non_null(strstr(r.text, "links are not followed"));
    directory_head(base, f.key, &stop, &r);
    assert_int_equal(r.end, STORE_PARKED);

    /* A link in the place of the file itself is replaced, and what it leads to is left alone. */
    (void)scratch_text(outside, "precious", "precious");
    f.key = "last";
    assert_int_equal(symlink(scratch_path(outside, "precious"), scratch_path(base, "last")), 0);
    directory_head(base, f.key, &stop, &r);
    assert_int_equal(r.end, STORE_PARKED);
    assert_int_equal(put(&f, &r), STORE_DONE);
    assert_true(is_there("last"));
    assert_int_equal(stat(scratch_path(outside, "precious"), &st), 0);
    assert_int_equal(st.st_size, 8);

    f.key = "dir";
    assert_int_equal(mkdir(scratch_path(base, "dir"), 0700), 0);
    assert_int_equal(put(&f, &r), STORE_REFUSED);
    directory_head(base, f.key, &stop, &r);
    assert_int_equal(r.end, STORE_MISSING);
    scratch_free(outside);
}

/* Each call fails once; what was said to be stored is, and nothing is left behind. */
static void fail_each(int error, enum store_end end, bool trouble)
{
    struct directory_file f = object();
    struct store_result r;
    int at = 1;

    for (;; at++) {
        inject(NULL, at, error);
        (void)put(&f, &r);
        if (atomic_load(&injection.count) < at) {
            inject_nothing();
            break;
        }
        inject_nothing();
        if (r.end != STORE_DONE) {
            assert_int_equal(r.end, end);
            assert_int_equal(r.trouble, trouble);
            assert_false(is_there(KEY));
        }
        assert_int_equal(count_aside(), 0);
        assert_int_equal(put(&f, &r), STORE_DONE);
        assert_true(is_there(KEY));
        scratch_free(base);
        base = scratch_new(NULL);
    }
    assert_int_equal(r.end, STORE_DONE);
    assert_true(at > 15);
}

static void test_failures(void **state)
{
    (void)state;
    fail_each(EIO, STORE_RETRY, true);
    scratch_free(base);
    base = scratch_new(NULL);
    fail_each(ENOSPC, STORE_RETRY, true);
    scratch_free(base);
    base = scratch_new(NULL);
    fail_each(EROFS, STORE_PARKED, false);
    scratch_free(base);
    base = scratch_new(NULL);
    fail_each(EMFILE, STORE_LOCAL, false);
}

/* A second fsync after a failed one would prove nothing: of the file, and of its directory. */
static void test_no_second_fsync(void **state)
{
    struct directory_file f = object();
    struct store_result r;

    (void)state;
    for (int at = 1; at <= 5; at++) {
        inject("fsync", at, EIO);
        assert_int_equal(put(&f, &r), STORE_RETRY);
        assert_true(r.trouble);
        assert_int_equal(atomic_load(&injection.count), at);
        inject_nothing();
        assert_false(is_there(KEY));
    }
    inject("fsync", 6, EIO);
    assert_int_equal(put(&f, &r), STORE_DONE); /* the file, and four directories */
    assert_int_equal(atomic_load(&injection.count), 5);
}

static void test_killed_anywhere(void **state)
{
    struct directory_file f = object();
    struct store_result r;
    size_t aside = 0;
    int status, at = 1;
    pid_t child;

    (void)state;
    for (;; at++) {
        child = fork();
        if (child == 0) {
            inject(NULL, at, 0);
            directory_put(base, &unmarked, &f, &r);
            _exit(r.end == STORE_DONE ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status))
            break;
        assert_int_equal(WTERMSIG(status), SIGKILL);
        (void)is_there(KEY); /* whole, if at all */
        aside += count_aside();
        assert_int_equal(put(&f, &r), STORE_DONE);
        assert_true(is_there(KEY));
        scratch_free(base);
        base = scratch_new(NULL);
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(at > 15 && aside > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_put, setup, teardown),
        cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_file_system, setup, teardown),
        cmocka_unit_test_setup_teardown(test_base_is_never_made, setup, teardown),
        cmocka_unit_test_setup_teardown(test_if_none_match, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_noreplace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_bytes_than_hashed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
        cmocka_unit_test_setup_teardown(test_links_and_ways_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_second_fsync, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed_anywhere, setup, teardown),
    };

    return cmocka_run_group_tests_name("directory", tests, NULL, NULL);
}
