/* SPDX-License-Identifier: Apache-2.0 */

/* Objects that are no traces: they go while no trace is to be sent. */

#include "tests/support/upload_fixture.h"

#include <errno.h>
#include <string.h>

#define BYTES 9000

static unsigned spare, ended;
static enum store_end end;
static const char rows[] = "rows";
static const struct store_object object = {
    .key = ".contrace/rows/x",
    .data = rows,
    .fd = -1,
    .size = 4,
    .sha256 = "bc51e9e65d79e1c90ba544ab2eae1044ccdf8c1af7a559ba375cba4276f7d99e",
};

static void on_spare(void *userdata)
{
    (void)userdata;
    spare++;
}

static void on_put(void *userdata, const struct store_result *result)
{
    (void)userdata;
    ended++;
    end = result->end;
}

static int put(void)
{
    return uploader_put(up.uploader, &object, on_put, NULL);
}

static void begin(void)
{
    spare = ended = 0;
    upload_start();
    uploader_set_spare_fn(up.uploader, on_spare, NULL);
    assert_false(uploader_spare(up.uploader)); /* there is no store */
    assert_int_equal(put(), -EAGAIN);
    upload_set(1, true);
}

static void test_after_the_probe(void **state)
{
    (void)state;
    begin();
    assert_true(uploader_probing(up.uploader));
    assert_int_equal(put(), -EAGAIN);
    upload_run();
    assert_false(uploader_probing(up.uploader));
    assert_true(spare > 0);
    assert_int_equal(put(), 0);
    assert_false(uploader_spare(up.uploader)); /* one at a time */
    assert_int_equal(put(), -EAGAIN);
    upload_run();
    assert_int_equal(ended, 1);
    assert_int_equal(end, STORE_DONE);
    assert_true(uploader_spare(up.uploader));
}

static void test_traces_go_first(void **state)
{
    (void)state;
    begin();
    upload_run();
    up.store->hold = true;
    capture_many(2, BYTES);
    upload_run();
    assert_false(uploader_spare(up.uploader));
    assert_int_equal(put(), -EAGAIN);
    spare = 0;
    up.store->hold = false;
    while (fake_release(up.store))
        upload_run();
    upload_run();
    assert_true(spare > 0);
    assert_int_equal(stats_now().pending_files, 0);
    assert_int_equal(put(), 0);
    upload_run();
    assert_int_equal(ended, 1);
}

static void refuse(struct fake_store *f, const struct store_object *o, unsigned nth,
                   struct store_result *ret)
{
    (void)f;
    (void)nth;
    if (strncmp(o->key, ".contrace/rows/", 15) == 0)
        *ret = (struct store_result){.end = STORE_PARKED, .trouble = true, .text = "no"};
}

/* A store may refuse them alone: traces go on. */
static void test_refused(void **state)
{
    (void)state;
    begin();
    up.store->answer = refuse;
    upload_run();
    assert_int_equal(put(), 0);
    upload_run();
    assert_int_equal(ended, 1);
    assert_int_equal(end, STORE_PARKED);
    assert_false(uploader_failing(up.uploader));
    capture_many(1, BYTES);
    upload_run();
    assert_int_equal(stats_now().pending_files, 0);
}

static void test_another_store_or_none(void **state)
{
    (void)state;
    begin();
    upload_run();
    up.store->hold = true;
    assert_int_equal(put(), 0);
    upload_set(1, true);
    assert_int_equal(ended, 1);
    assert_int_equal(end, STORE_RETRY);
    upload_run();
    up.store->hold = true;
    assert_int_equal(put(), 0);
    uploader_put_cancel(up.uploader);
    assert_int_equal(ended, 1);
    assert_int_equal(put(), 0);
    uploader_cut(up.uploader);
    assert_int_equal(ended, 2);
    assert_int_equal(end, STORE_RETRY);
    assert_int_equal(put(), -EAGAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_after_the_probe, upload_setup, upload_teardown),
        cmocka_unit_test_setup_teardown(test_traces_go_first, upload_setup, upload_teardown),
        cmocka_unit_test_setup_teardown(test_refused, upload_setup, upload_teardown),
        cmocka_unit_test_setup_teardown(test_another_store_or_none, upload_setup, upload_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
