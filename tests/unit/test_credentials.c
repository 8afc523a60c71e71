/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/net/credentials.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

static char *dir;
static size_t descriptors;

static int setup(void **state)
{
    (void)state;
    dir = scratch_new(NULL);
    descriptors = scratch_descriptors();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(scratch_descriptors(), descriptors);
    scratch_free(dir);
    return 0;
}

static void assert_header(const struct access_auth *auth, const char *expected)
{
    char text[512] = "untouched";
    struct buf header;

    credentials_init(&header);
    assert_int_equal(credentials_header(auth, &header, text, sizeof(text)), 0);
    assert_string_equal(buf_str(&header), expected);
    assert_string_equal(text, "untouched");
    buf_wipe(&header);
}

/* Nothing of the secret may be in the text, whatever is wrong with its file. */
static void assert_refused(const struct access_auth *auth, int error, const char *why)
{
    const char *path = auth->credentials_file ? auth->credentials_file : auth->basic_password_file;
    char text[1024] = "";
    struct buf header;

    credentials_init(&header);
    assert_int_equal(credentials_header(auth, &header, text, sizeof(text)), error);
    assert_non_null(strstr(text, path));
    assert_non_null(strstr(text, why));
    assert_null(strstr(text, "s3cret"));
    buf_wipe(&header);
}

static struct access_auth bearer(const char *path)
{
    return (struct access_auth){.type = TEXT("Bearer"), .credentials_file = TEXT(path)};
}

static void test_none(void **state)
{
    const struct access_auth none = {0};

    (void)state;
    assert_header(&none, "");
}

static void test_bearer(void **state)
{
    struct access_auth auth = bearer(scratch_text(dir, "token", "s3cret"));

    (void)state;
    assert_header(&auth, "Authorization: Bearer s3cret");
    auth.type = TEXT("Token");
    assert_header(&auth, "Authorization: Token s3cret");
    auth.type = NULL;
    assert_header(&auth, "Authorization: Bearer s3cret");
}

/* RFC 7617, section 2 and 2.1 */
static void test_basic(void **state)
{
    struct access_auth auth = {
        .basic_username = TEXT("Aladdin"),
        .basic_password_file = TEXT(scratch_text(dir, "password", "open sesame\n")),
    };

    (void)state;
    assert_header(&auth, "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    auth.basic_username = TEXT("test");
    (void)scratch_text(dir, "password", "123\xc2\xa3");
    assert_header(&auth, "Authorization: Basic dGVzdDoxMjPCow==");
    auth.basic_username = NULL;
    (void)scratch_text(dir, "password", "p");
    assert_header(&auth, "Authorization: Basic OnA=");
}

static void test_line_ends(void **state)
{
    struct access_auth auth = bearer(scratch_text(dir, "token", "s3cret\n"));

    (void)state;
    assert_header(&auth, "Authorization: Bearer s3cret");
    (void)scratch_text(dir, "token", "s3cret\r\n");
    assert_header(&auth, "Authorization: Bearer s3cret");
    (void)scratch_text(dir, "token", "s3cret\n\n");
    assert_header(&auth, "Authorization: Bearer s3cret");
    (void)scratch_text(dir, "token", "\n \ts3cret \r\n ");
    assert_header(&auth, "Authorization: Bearer s3cret");
}

static void test_bad_content(void **state)
{
    struct access_auth auth = bearer(scratch_text(dir, "token", ""));

    (void)state;
    assert_refused(&auth, -ENODATA, "empty");
    (void)scratch_text(dir, "token", "\n\r\n");
    assert_refused(&auth, -ENODATA, "empty");
    (void)scratch_text(dir, "token", "s3cret\ns3cret");
    assert_refused(&auth, -EBADMSG, "more than one line");
    (void)scratch_text(dir, "token", "s3cret\r\nX-Evil: 1");
    assert_refused(&auth, -EBADMSG, "more than one line");
    (void)scratch_text(dir, "token", "s3cret\rX-Evil: 1");
    assert_refused(&auth, -EBADMSG, "more than one line");
    (void)scratch_text(dir, "token", "Bearer s3cret\n");
    assert_refused(&auth, -EINVAL, "without `Bearer`");
    (void)scratch_text(dir, "token", "\xef\xbb\xbfs3cret\n");
    assert_refused(&auth, -EILSEQ, "byte order mark");
    (void)scratch_write(dir, "token", "s3cret\0s3cret", 13, 0600);
    assert_refused(&auth, -EBADMSG, "more than one line");
    (void)scratch_write(dir, "token", "s3cret\0", 7, 0600);
    assert_refused(&auth, -EBADMSG, "more than one line");
}

static void test_length(void **state)
{
    size_t max = 16 << 10;
    char *secret = malloc(max + 1), *user = malloc(8193), text[512] = "";
    struct access_auth auth;
    struct buf header;

    (void)state;
    assert_true(secret && user);
    memset(secret, 's', max + 1);
    auth = bearer(scratch_write(dir, "token", secret, max, 0600));
    credentials_init(&header);
    assert_int_equal(credentials_header(&auth, &header, text, sizeof(text)), 0);
    assert_int_equal(header.len, strlen("Authorization: Bearer ") + max);
    buf_wipe(&header);
    auth = (struct access_auth){.basic_username = TEXT("u"),
                                .basic_password_file = auth.credentials_file};
    assert_int_equal(credentials_header(&auth, &header, text, sizeof(text)), 0);
    assert_int_equal(header.len, strlen("Authorization: Basic ") + (max + 2 + 2) / 3 * 4);
    buf_wipe(&header);
    /* A name that fills the header by itself: said, not forgotten. */
    memset(user, 'u', 8192);
    user[8192] = '\0';
    auth.basic_username = user;
    assert_int_equal(credentials_header(&auth, &header, text, sizeof(text)), -E2BIG);
    assert_non_null(strstr(text, "too long"));
    buf_wipe(&header);
    auth = bearer(scratch_write(dir, "token", secret, max + 1, 0600));
    assert_refused(&auth, -E2BIG, "16 KiB");
    free(secret);
    free(user);
}

static void test_bad_files(void **state)
{
    struct access_auth auth = bearer(scratch_path(dir, "none"));

    (void)state;
    assert_refused(&auth, -ENOENT, "No such file");
    auth = bearer(dir);
    assert_refused(&auth, -EINVAL, "not a regular file");
    assert_int_equal(mkfifo(scratch_path(dir, "fifo"), 0600), 0);
    auth = bearer(scratch_path(dir, "fifo"));
    assert_refused(&auth, -EINVAL, "not a regular file");
    auth = bearer("/dev/zero");
    assert_refused(&auth, -EINVAL, "not a regular file");
}

static bool on_memory(const char *path)
{
    struct statfs fs;

    assert_int_equal(statfs(path, &fs), 0);
    return fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC;
}

static void test_modes(void **state)
{
    static const mode_t bad[] = {0604, 0660, 0666, 0644, 0444, 0620, 0601};
    struct access_auth auth;

    (void)state;
    auth = bearer(scratch_write(dir, "token", "s3cret", 6, 0400));
    assert_header(&auth, "Authorization: Bearer s3cret");
    if (on_memory(dir))
        skip(); /* see the next test */
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        auth = bearer(scratch_write(dir, "token", "s3cret", 6, bad[i]));
        assert_refused(&auth, -EPERM, "chmod 0600");
    }
}

/* As Kubernetes and systemd hand out secrets: root's, on tmpfs, readable for others than root. */
static void test_memory_file_system(void **state)
{
    static const mode_t good[] = {0644, 0440, 0640, 0400, 0444}, bad[] = {0664, 0646, 0666};
    struct access_auth auth;
    char *shm;

    (void)state;
    if (geteuid() != 0 || access("/dev/shm", W_OK) < 0 || !on_memory("/dev/shm"))
        skip();
    shm = scratch_new("/dev/shm");
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        auth = bearer(scratch_write(shm, "token", "s3cret", 6, good[i]));
        assert_header(&auth, "Authorization: Bearer s3cret");
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        auth = bearer(scratch_write(shm, "token", "s3cret", 6, bad[i]));
        assert_refused(&auth, -EPERM, "chmod 0600");
    }
    auth = bearer(scratch_write(shm, "token", "s3cret", 6, 0644));
    assert_int_equal(chown(auth.credentials_file, 65534, 65534), 0); /* not root's */
    assert_refused(&auth, -EPERM, "chmod 0600");
    assert_int_equal(chmod(auth.credentials_file, 0600), 0);
    assert_header(&auth, "Authorization: Bearer s3cret");
    scratch_free(shm);
}

/* A new secret counts from the next use on; also when a symlink is swapped, as Kubernetes does. */
static void test_rotation(void **state)
{
    struct access_auth auth = bearer(scratch_path(dir, "token"));

    (void)state;
    (void)scratch_text(dir, "old", "first");
    (void)scratch_text(dir, "new", "second");
    assert_int_equal(symlink("old", auth.credentials_file), 0);
    assert_header(&auth, "Authorization: Bearer first");
    assert_int_equal(symlink("new", scratch_path(dir, "swap")), 0);
    assert_int_equal(rename(scratch_path(dir, "swap"), auth.credentials_file), 0);
    assert_header(&auth, "Authorization: Bearer second");
    (void)scratch_text(dir, "new", "third");
    assert_header(&auth, "Authorization: Bearer third");
    assert_int_equal(unlink(auth.credentials_file), 0);
    assert_refused(&auth, -ENOENT, "No such file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_none, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bearer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_basic, setup, teardown),
        cmocka_unit_test_setup_teardown(test_line_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_content, setup, teardown),
        cmocka_unit_test_setup_teardown(test_length, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory_file_system, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rotation, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
