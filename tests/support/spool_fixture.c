/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/spool_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

struct fixture fx;
struct injection injection;
bool fail_links;
char log_lines[MAX_LOG][512];
int n_log_lines;
uint64_t fake_total_bytes, fake_total_inodes;
int64_t fake_others, real_shift, boot_shift;

int __real_openat(int dir, const char *name, int flags, mode_t mode);
int __wrap_openat(int dir, const char *name, int flags, mode_t mode);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_renameat2(int from, const char *name, int to, const char *new_name, unsigned flags);
int __wrap_renameat2(int from, const char *name, int to, const char *new_name, unsigned flags);
int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);
int __real_linkat(int from, const char *name, int to, const char *new_name, int flags);
int __wrap_linkat(int from, const char *name, int to, const char *new_name, int flags);
int __real_mkdirat(int dir, const char *name, mode_t mode);
int __wrap_mkdirat(int dir, const char *name, mode_t mode);
int __real_ftruncate(int fd, off_t size);
int __wrap_ftruncate(int fd, off_t size);
ssize_t __real_write(int fd, const void *data, size_t n);
ssize_t __wrap_write(int fd, const void *data, size_t n);
int __real_fstatvfs(int fd, struct statvfs *v);
int __wrap_fstatvfs(int fd, struct statvfs *v);
int __real_sd_event_now(sd_event *event, clockid_t clock, uint64_t *ret);
int __wrap_sd_event_now(sd_event *event, clockid_t clock, uint64_t *ret);

static bool mine(const char *call)
{
    return injection.at > 0 && (!injection.only || strcmp(injection.only, call) == 0);
}

static void die(void)
{
    (void)kill(getpid(), SIGKILL);
    for (;;)
        (void)pause();
}

/* 0, or the errno with which the call must fail. */
static int before(const char *call)
{
    int n;

    if (!mine(call))
        return 0;
    n = atomic_fetch_add(&injection.count, 1) + 1;
    if (n != injection.at && !(injection.all && n > injection.at))
        return 0;
    if (injection.error)
        return injection.error;
    if (!injection.after)
        die();
    return -1; /* after the call */
}

#define WRAPPED(call, expression)             \
    int error_ = before(call);                \
    if (error_ > 0) {                         \
        errno = error_;                       \
        return -1;                            \
    }                                         \
    __typeof__(expression) r_ = (expression); \
    if (error_ < 0)                           \
        die();                                \
    return r_;

int __wrap_openat(int dir, const char *name, int flags, mode_t mode)
{
    WRAPPED("openat", __real_openat(dir, name, flags, mode))
}

int __wrap_fsync(int fd)
{
    WRAPPED("fsync", __real_fsync(fd))
}

int __wrap_renameat2(int from, const char *name, int to, const char *new_name, unsigned flags)
{
    WRAPPED("renameat2", __real_renameat2(from, name, to, new_name, flags))
}

int __wrap_linkat(int from, const char *name, int to, const char *new_name, int flags)
{
    if (fail_links) {
        errno = EPERM;
        return -1;
    }
    WRAPPED("linkat", __real_linkat(from, name, to, new_name, flags))
}

int __wrap_unlinkat(int dir, const char *name, int flags)
{
    WRAPPED("unlinkat", __real_unlinkat(dir, name, flags))
}

int __wrap_mkdirat(int dir, const char *name, mode_t mode)
{
    WRAPPED("mkdirat", __real_mkdirat(dir, name, mode))
}

int __wrap_ftruncate(int fd, off_t size){WRAPPED("ftruncate", __real_ftruncate(fd, size))}

ssize_t __wrap_write(int fd, const void *data, size_t n)
{
    WRAPPED("write", __real_write(fd, data, n))
}

int __wrap_fstatvfs(int fd, struct statvfs *v)
{
    int r = __real_fstatvfs(fd, v);
    struct usage u;
    int64_t left;

    if (r < 0 || fake_total_bytes == 0)
        return r;
    u = usage();
    left = (int64_t)fake_total_bytes - (int64_t)u.bytes - fake_others;
    v->f_bsize = v->f_frsize = 4096;
    v->f_blocks = fake_total_bytes / 4096;
    v->f_bavail = left > 0 ? (fsblkcnt_t)left / 4096 : 0;
    v->f_files = fake_total_inodes;
    v->f_favail = fake_total_inodes > 0 ? fake_total_inodes - u.traces - u.records - u.incoming : 0;
    return 0;
}

int __wrap_sd_event_now(sd_event *event, clockid_t clock, uint64_t *ret)
{
    int r = __real_sd_event_now(event, clock, ret);

    *ret += (uint64_t)(clock == CLOCK_REALTIME ? real_shift : boot_shift);
    return r;
}

void inject(const char *only, int at, int error)
{
    injection.only = only;
    injection.error = error;
    atomic_store(&injection.count, 0);
    injection.at = at;
}

void inject_nothing(void)
{
    injection.at = 0;
    injection.after = injection.all = false;
}

static void remember(void *userdata, enum log_level level, const struct log_fields *fields,
                     const char *message)
{
    (void)userdata;
    (void)level;
    (void)fields;
    if (n_log_lines < MAX_LOG)
        (void)snprintf(log_lines[n_log_lines++], sizeof(log_lines[0]), "%s", message);
}

int times_logged(const char *part)
{
    int n = 0;

    for (int i = 0; i < n_log_lines; i++)
        n += strstr(log_lines[i], part) != NULL;
    return n;
}

bool logged(const char *part)
{
    return times_logged(part) > 0;
}

void forget_log(void)
{
    n_log_lines = 0;
}

int fixture_setup(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    (void)snprintf(fx.base, sizeof(fx.base), "%s/contrace-spool-XXXXXX",
                   tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(fx.base))
        return -1;
    (void)umask(022);
    (void)snprintf(fx.path, sizeof(fx.path), "%s/spool", fx.base);
    fx.limits = (struct retention_limits){.max_bytes = 1ULL << 40, .max_files = 1000000};
    fx.upload = false;
    fx.sha256 = NULL;
    fx.spool = NULL;
    fake_total_bytes = fake_total_inodes = 0;
    fake_others = real_shift = boot_shift = 0;
    fail_links = false;
    inject_nothing();
    forget_log();
    log_set_sink(remember, NULL);
    return sd_event_new(&fx.event) < 0 || disk_new(fx.event, &fx.disk) < 0 ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int fixture_teardown(void **state)
{
    (void)state;
    inject_nothing();
    fixture_stop();
    disk_free(fx.disk);
    fx.event = sd_event_unref(fx.event);
    log_set_sink(NULL, NULL);
    return nftw(fx.base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int fixture_start(void)
{
    int r = spool_new(fx.event, fx.disk, fx.path, &fx.limits, fx.upload, &fx.spool);

    if (r >= 0) {
        (void)sd_event_run(fx.event, 0);
        fixture_settle();
    }
    return r;
}

void fixture_stop(void)
{
    if (fx.spool) {
        fixture_settle();
        spool_free(fx.spool);
    }
    fx.spool = NULL;
}

void fixture_restart(void)
{
    fixture_stop();
    assert_int_equal(fixture_start(), 0);
}

void fixture_settle(void)
{
    while (sd_event_run(fx.event, 0) > 0)
        ;
    for (int i = 0; spool_busy(fx.spool); i++) {
        assert_true(i < 100000);
        assert_true(sd_event_run(fx.event, 5 * USEC_PER_SEC) >= 0);
    }
    while (sd_event_run(fx.event, 0) > 0)
        ;
}

pid_t fixture_fork(void)
{
    pid_t child;

    assert_null(fx.spool);
    disk_free(fx.disk);
    fx.event = sd_event_unref(fx.event);
    child = fork();
    if (child != 0) {
        assert_true(child > 0);
        assert_true(sd_event_new(&fx.event) >= 0);
        assert_int_equal(disk_new(fx.event, &fx.disk), 0);
    }
    return child;
}

void on_room(struct spool_file *f, int r, void *userdata)
{
    struct told *t = userdata;

    (void)f;
    if (t) {
        t->r = r;
        t->times++;
    }
}

void on_published(int r, const char *key, void *userdata)
{
    struct told *t = userdata;

    if (!t)
        return;
    t->r = r;
    t->times++;
    (void)snprintf(t->key, sizeof(t->key), "%s", key ? key : "");
}

struct spool_file *written_file(uint64_t bytes)
{
    static const char page[4096] = "go 1.26 trace";
    struct told told = {0};
    struct spool_file *f;
    int r = spool_file_new(fx.spool, bytes, on_room, &told, &f);

    if (r < 0) {
        errno = -r;
        return NULL;
    }
    if (r == 0) {
        while (told.times == 0)
            assert_true(sd_event_run(fx.event, 5 * USEC_PER_SEC) >= 0);
        if (told.r < 0) {
            spool_file_discard(f);
            errno = -told.r;
            return NULL;
        }
    }
    for (uint64_t done = 0; done < bytes;) {
        uint64_t n = bytes - done < sizeof(page) ? bytes - done : sizeof(page);
        ssize_t written = write(spool_file_fd(f), page, n);

        if (written < 0) {
            int error = errno;

            spool_file_discard(f);
            errno = error;
            return NULL;
        }
        done += (uint64_t)written;
    }
    return f;
}

void publish(struct spool_file *f, usec time, uint64_t bytes, struct told *ret)
{
    struct name name;
    char record[160];

    name_init(&name, "checkout", "web-1", time, 4711);
    if (fx.sha256)
        (void)snprintf(record, sizeof(record), "{\"bytes\": %llu, \"sha256\": \"%s\"}\n",
                       (unsigned long long)bytes, fx.sha256);
    else
        (void)snprintf(record, sizeof(record), "{\"bytes\": %llu}\n", (unsigned long long)bytes);
    spool_file_publish(f, &name, bytes, record, on_published, ret);
}

int capture(usec time, uint64_t bytes, struct told *ret)
{
    struct told told = {0};
    struct spool_file *f = written_file(bytes);

    if (!f)
        return -errno;
    publish(f, time, bytes, &told);
    assert_int_equal(told.times, 0);
    while (told.times == 0)
        assert_true(sd_event_run(fx.event, 5 * USEC_PER_SEC) >= 0);
    if (ret)
        *ret = told;
    return told.r;
}

struct spool_stats stats_now(void)
{
    struct spool_stats stats;

    spool_stats(fx.spool, &stats);
    return stats;
}

void start_uploading(void)
{
    fx.upload = true;
    assert_int_equal(fixture_start(), 0);
}

void capture_many(unsigned n, uint64_t bytes)
{
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(capture(START + i * USEC_PER_MIN, bytes, NULL), 0);
    fixture_settle();
}

struct spool_item *taken(void)
{
    struct spool_item *item = NULL;

    return spool_take(fx.spool, &item) > 0 ? item : NULL;
}

static void on_archived(int r, const char *key, void *userdata)
{
    on_published(r, key, userdata);
}

int archive(struct spool_item *item, bool keep)
{
    struct told told = {0};

    spool_item_archive(item, keep, on_archived, &told);
    assert_int_equal(told.times, 0);
    fixture_settle();
    assert_int_equal(told.times, 1);
    return told.r;
}

const char *below(const char *path)
{
    static char full[4][1024];
    static unsigned turn;
    char *out = full[turn++ % 4];

    (void)snprintf(out, sizeof(full[0]), "%s/%s", fx.path, path);
    return out;
}

bool exists(const char *path)
{
    struct stat st;

    return lstat(below(path), &st) == 0;
}

void make_dirs(const char *path)
{
    char full[1024];

    (void)snprintf(full, sizeof(full), "%s/", below(path));
    for (char *p = full + 1; *p; p++) {
        if (*p == '/') {
            *p = '\0';
            (void)mkdir(full, 0750);
            *p = '/';
        }
    }
}

void make_file(const char *path, const char *text)
{
    char directory[1024];
    int fd;

    (void)snprintf(directory, sizeof(directory), "%s", path);
    if (strrchr(directory, '/')) {
        *strrchr(directory, '/') = '\0';
        make_dirs(directory);
    } else {
        make_dirs("");
    }
    fd = open(below(path), O_WRONLY | O_CREAT | O_TRUNC, 0640);
    assert_true(fd >= 0);
    assert_true(__real_write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static struct usage found;
static bool records_wanted;

static bool ends_with(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);

    return n >= m && strcmp(text + n - m, suffix) == 0;
}

static int count_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    const char *inside = path + strlen(fx.path);

    (void)ftw;
    if (type != FTW_F || strcmp(inside, "/lock") == 0)
        return 0;
    found.bytes += ((uint64_t)st->st_size + 4095) / 4096 * 4096;
    if (strncmp(inside, "/incoming/", 10) == 0)
        found.incoming++;
    else if (ends_with(path, ".trace"))
        found.traces++;
    else if (ends_with(path, ".json"))
        found.records++;
    else
        found.others++;
    return 0;
}

/* Files may come and go during the walk. One that vanished is passed on by nftw as FTW_NS. */
struct usage usage(void)
{
    found = (struct usage){0};
    (void)nftw(fx.path, count_one, 16, FTW_PHYS);
    return found;
}

static int check_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    char record[1024], text[64] = "";
    int fd;

    (void)ftw;
    if (type != FTW_F || !ends_with(path, ".trace"))
        return 0;
    (void)snprintf(record, sizeof(record), "%.*s.json", (int)(strlen(path) - 6), path);
    fd = open(record, O_RDONLY);
    if (fd < 0 && !records_wanted)
        return 0;
    assert_true(fd >= 0);
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    assert_int_equal(strtoull(text + strcspn(text, "0123456789"), NULL, 10), st->st_size);
    return 0;
}

void check_whole(bool records_required)
{
    records_wanted = records_required;
    (void)nftw(fx.path, check_one, 16, FTW_PHYS);
}
