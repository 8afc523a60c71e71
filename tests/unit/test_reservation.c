/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reservations, and retention as the spool carries it out: no bound is passed, not even for a
 * moment.
 */

#include "tests/support/spool_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/spool/core/space.h"
#include "lib/spool/spool_state.h"

#define IN_FLIGHT 64
#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)

struct capture_job {
    struct spool_file *file;
    struct told room, published;
    uint64_t wanted, room_bytes, written;
    bool waiting, publishing;
};

static struct capture_job capture_jobs[IN_FLIGHT];
static unsigned n_published, n_refused;
static usec capture_time;

static void check_bounds(void)
{
    struct usage u = usage();

    assert_true(u.bytes <= fx.limits.max_bytes);
    assert_true(u.traces <= fx.limits.max_files);
    if (fake_total_bytes > 0)
        assert_true((double)(fake_total_bytes - u.bytes) >=
                    fx.limits.min_free * (double)fake_total_bytes);
}

static void capture_job_begin(struct capture_job *f)
{
    int r;

    *f = (struct capture_job){.wanted = (uint64_t)(random() % (100 * 1024)), .room_bytes = 8 * KIB};
    r = spool_file_new(fx.spool, f->room_bytes, on_room, &f->room, &f->file);
    if (r < 0) {
        assert_int_equal(r, -ENOSPC);
        f->file = NULL;
        n_refused++;
    }
    f->waiting = r == 0;
}

static void capture_job_end(struct capture_job *f)
{
    spool_file_discard(f->file);
    f->file = NULL;
    n_refused++;
}

static void capture_job_grow(struct capture_job *f)
{
    int r;

    f->room_bytes += 8 * KIB + (uint64_t)(random() % (32 * 1024));
    r = spool_file_grow(f->file, f->room_bytes);
    f->room.times = 0;
    f->waiting = r == 0;
    if (r < 0)
        capture_job_end(f);
}

static void capture_job_write(struct capture_job *f)
{
    static const char page[4096];
    uint64_t n = 1 + (uint64_t)random() % sizeof(page);

    n = n < f->wanted - f->written ? n : f->wanted - f->written;
    if (f->written + n > f->room_bytes) {
        capture_job_grow(f);
        return;
    }
    assert_true(write(spool_file_fd(f->file), page, n) == (ssize_t)n);
    f->written += n;
}

static void capture_job_step(struct capture_job *f)
{
    if (f->publishing) {
        if (f->published.times == 0)
            return;
        assert_int_equal(f->published.r, 0);
        n_published++;
        f->publishing = false;
        f->file = NULL;
    } else if (!f->file) {
        capture_job_begin(f);
    } else if (f->waiting) {
        if (f->room.times == 0)
            return;
        f->waiting = false;
        if (f->room.r < 0)
            capture_job_end(f);
    } else if (f->written < f->wanted) {
        if (random() % 200 == 0)
            capture_job_end(f);
        else
            capture_job_write(f);
    } else {
        publish(f->file, capture_time += USEC_PER_SEC / 2, f->written, &f->published);
        f->publishing = true;
    }
}

static void fly(unsigned publications)
{
    n_published = n_refused = 0;
    capture_time = START;
    for (unsigned step = 0; n_published < publications; step++) {
        capture_job_step(&capture_jobs[random() % IN_FLIGHT]);
        if (step % 8 == 0)
            assert_true(sd_event_run(fx.event, 0) >= 0);
        if (step % 8 == 4) /* a step writes at most a page, so a bound is seen passed */
            check_bounds();
    }
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        if (capture_jobs[i].file && !capture_jobs[i].publishing)
            spool_file_discard(capture_jobs[i].file);
        capture_jobs[i].file = NULL;
    }
    fixture_settle();
    check_bounds();
    check_whole(true);
    assert_int_equal(stats_now().reserved_bytes, 0);
    assert_int_equal(usage().incoming, 0);
    memset(capture_jobs, 0, sizeof(capture_jobs));
    assert_int_equal(stats_now().archive_files, usage().traces);
    assert_int_equal(stats_now().archive_bytes, usage().bytes);
}

static void test_bytes_with_64_in_flight(void **state)
{
    (void)state;
    fx.limits.max_bytes = 6 * MIB;
    assert_int_equal(fixture_start(), 0);
    fly(150);
    assert_true(stats_now().deleted[RETENTION_BYTES] > 0);
}

static void test_files_with_64_in_flight(void **state)
{
    (void)state;
    fx.limits.max_files = 80;
    assert_int_equal(fixture_start(), 0);
    fly(150);
    assert_true(stats_now().deleted[RETENTION_FILES] > 0);
}

static void test_free_space_with_64_in_flight(void **state)
{
    (void)state;
    fx.limits.min_free = 0.1;
    fake_total_bytes = 8 * MIB;
    assert_int_equal(fixture_start(), 0);
    fly(150);
    assert_true(stats_now().deleted[RETENTION_FREE_SPACE] > 0);
}

static void test_tight_with_64_in_flight(void **state)
{
    (void)state;
    fx.limits.max_bytes = 600 * KIB; /* far less than they ask for */
    assert_int_equal(fixture_start(), 0);
    fly(50);
    assert_true(n_refused > 0);
}

static void test_no_room_is_said_once(void **state)
{
    struct spool_file *f, *g;

    (void)state;
    fx.limits.max_bytes = 200 * KIB;
    assert_int_equal(fixture_start(), 0);
    forget_log();
    assert_int_equal(spool_file_new(fx.spool, 100 * KIB, on_room, NULL, &f), 1);
    for (int i = 0; i < 5; i++)
        assert_int_equal(spool_file_new(fx.spool, 100 * KIB, on_room, NULL, &g), -ENOSPC);
    assert_int_equal(spool_file_grow(f, 300 * KIB), -ENOSPC);
    assert_int_equal(spool_file_grow(f, 120 * KIB), 1);
    assert_int_equal(times_logged("no room for another trace"), 1);
    assert_true(logged("max_bytes would be exceeded"));
    assert_true(spool_refusing(fx.spool));
    spool_file_discard(f);
    fixture_settle();
    assert_int_equal(capture(START, 100 * KIB, NULL), 0);
    assert_int_equal(times_logged("has room for traces again"), 1);
    assert_int_equal(n_log_lines, 2);
    assert_false(spool_refusing(fx.spool)); /* though it is not said again for a minute */

    assert_int_equal(spool_file_new(fx.spool, 300 * KIB, on_room, NULL, &g), -ENOSPC);
    assert_true(spool_refusing(fx.spool));
    assert_int_equal(n_log_lines, 2);
    boot_shift += (int64_t)(2 * USEC_PER_MIN);
    assert_int_equal(spool_file_new(fx.spool, 300 * KIB, on_room, NULL, &g), -ENOSPC);
    assert_int_equal(times_logged("no room for another trace"), 2);
}

/* It is not `min_free` that takes what is not there. */
static void test_full_disk_is_called_so(void **state)
{
    struct spool_file *f;

    (void)state;
    fx.limits.min_free = 0;
    fake_total_bytes = 100 * MIB;
    fake_others = (int64_t)(100 * MIB);
    assert_int_equal(fixture_start(), 0);
    assert_int_equal(spool_file_new(fx.spool, 4 * KIB, on_room, NULL, &f), -ENOSPC);
    assert_true(logged("the file system is full, and nothing"));
}

/* A wish that no history could pay for deletes nothing. */
static void test_nothing_is_deleted_in_vain(void **state)
{
    struct spool_file *f;

    (void)state;
    fx.limits.max_bytes = 1 * MIB;
    assert_int_equal(fixture_start(), 0);
    capture_many(5, 50 * KIB);
    assert_int_equal(spool_file_new(fx.spool, 2 * MIB, on_room, NULL, &f), -ENOSPC);
    assert_int_equal(spool_file_new(fx.spool, UINT64_MAX, on_room, NULL, &f), -ENOSPC);
    fake_total_bytes = 100 * MIB;
    fake_others = (int64_t)(99 * MIB);
    fx.limits.min_free = 0.1;
    spool_set_limits(fx.spool, &fx.limits);
    fixture_settle();
    assert_int_equal(spool_file_new(fx.spool, 4 * KIB, on_room, NULL, &f), -ENOSPC);
    assert_int_equal(stats_now().archive_files, 5);
}

static void test_inodes(void **state)
{
    (void)state;
    fx.limits.min_free = 0.1;
    fake_total_bytes = 1000 * MIB;
    fake_total_inodes = 50;
    assert_int_equal(fixture_start(), 0);
    /* One by one: beside the writing of the next, what such small deletions free cannot be seen. */
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(capture(START + i * USEC_PER_MIN, 1, NULL), 0);
        fixture_settle();
    }
    assert_true(usage().traces + usage().records <= 45);
    assert_true(stats_now().archive_files >= 18);
}

/* A record longer than what is reserved for one asks for room, too. */
static void test_long_record(void **state)
{
    static char record[200 * 1024];
    struct told told = {0};
    struct spool_file *f;
    struct name name;

    (void)state;
    fx.limits.max_bytes = 300 * KIB;
    assert_int_equal(fixture_start(), 0);
    capture_many(10, 10 * KIB);
    memset(record, ' ', sizeof(record) - 1);
    name_init(&name, "long", "h", START, 0);
    f = written_file(100);
    spool_file_publish(f, &name, 100, record, on_published, &told);
    fixture_settle();
    assert_int_equal(told.r, 0);
    check_bounds();
    assert_int_equal(stats_now().archive_bytes, usage().bytes);
    fx.limits.max_bytes = 100 * KIB;
    spool_set_limits(fx.spool, &fx.limits);
    f = written_file(100);
    spool_file_publish(f, &name, 100, record, on_published, &told);
    fixture_settle();
    assert_int_equal(told.r, -ENOSPC);
    assert_int_equal(usage().incoming, 0);
}

static void test_discard_while_waiting(void **state)
{
    struct told told[3] = {{0}};
    struct spool_file *f[3];

    (void)state;
    fx.limits.max_files = 4;
    assert_int_equal(fixture_start(), 0);
    capture_many(4, 100);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(spool_file_new(fx.spool, 100, on_room, &told[i], &f[i]), 0);
        assert_int_equal(spool_file_fd(f[i]), -1);
    }
    spool_file_discard(f[1]);
    spool_file_discard(f[0]);
    fixture_settle();
    assert_int_equal(told[0].times + told[1].times, 0);
    assert_int_equal(told[2].times, 1);
    assert_int_equal(told[2].r, 0);
    assert_true(spool_file_fd(f[2]) >= 0);
    spool_file_discard(f[2]);
    fixture_settle();
    assert_int_equal(stats_now().reserved_bytes, 0);
}

static bool mount_small(const char *options, unsigned long flags)
{
    /* In a mount namespace of our own: nothing of it outlives the test. The disk threads stay
     * outside, which is as well: they are only ever given descriptors. */
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mkdir(fx.path, 0750) == 0 && mount("tmpfs", fx.path, "tmpfs", flags, options) == 0;
}

static void test_full_tmpfs(void **state)
{
    struct space space;

    (void)state;
    if (!mount_small("size=4m,nr_inodes=200,mode=0750", 0)) {
        print_message("no tmpfs can be mounted: not tried\n");
        return;
    }
    fx.limits.min_free = 0.1;
    assert_int_equal(fixture_start(), 0);
    for (unsigned i = 0; i < 300; i++) {
        assert_int_equal(capture(START + i * USEC_PER_MIN, i % 2 ? 1 : 300 * KIB, NULL), 0);
        assert_int_equal(space_read(fx.spool->core.tree.root, &space), 0);
        assert_true(space.free_bytes >= space.total_bytes / 10);
        assert_true(space.free_inodes >= space.total_inodes / 10);
    }
    assert_true(stats_now().deleted[RETENTION_FREE_SPACE] > 0);
    assert_true(stats_now().archive_files > 5);

    /* A neighbour takes all; the captures are dropped, and come back with the room. */
    make_file("neighbour", "");
    assert_int_equal(truncate(below("neighbour"), (off_t)(4 * MIB)), 0);
    {
        static const char page[4096];
        int fd = open(below("neighbour"), O_WRONLY | O_CLOEXEC);

        while (write(fd, page, sizeof(page)) > 0)
            ;
        close(fd);
    }
    fixture_settle();
    forget_log();
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(capture(START + USEC_PER_DAY, 3 * MIB, NULL), -ENOSPC);
    assert_int_equal(times_logged("no room for another trace"), 1);
    assert_int_equal(unlink(below("neighbour")), 0);
    assert_int_equal(capture(START + USEC_PER_DAY, 100 * KIB, NULL), 0);
    assert_int_equal(times_logged("has room for traces again"), 1);
    check_whole(true);
    fixture_stop();
    assert_int_equal(umount2(fx.path, MNT_DETACH), 0);

    assert_int_equal(mount("tmpfs", fx.path, "tmpfs", MS_RDONLY, "mode=0750"), 0);
    assert_int_equal(fixture_start(), -EROFS);
    assert_true(logged("the file system is read-only"));
    assert_int_equal(umount2(fx.path, MNT_DETACH), 0);
}

static int seed(void **state)
{
    const char *text = getenv("TEST_SEED");
    unsigned value = text ? (unsigned)strtoul(text, NULL, 10) : (unsigned)time(NULL);

    (void)state;
    print_message("TEST_SEED=%u\n", value);
    srandom(value);
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_bytes_with_64_in_flight),
        TEST(test_files_with_64_in_flight),
        TEST(test_free_space_with_64_in_flight),
        TEST(test_tight_with_64_in_flight),
        TEST(test_no_room_is_said_once),
        TEST(test_full_disk_is_called_so),
        TEST(test_nothing_is_deleted_in_vain),
        TEST(test_inodes),
        TEST(test_long_record),
        TEST(test_discard_while_waiting),
        TEST(test_full_tmpfs),
    };

    return cmocka_run_group_tests_name("reservation", tests, seed, NULL);
}
