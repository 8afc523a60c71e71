/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/file/mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hex.h"
#include "lib/store/file/mount.h"
#include "base/write.h"
#include "lib/store/file/entry.h"

#define FILE_MODE 0644
#define TMP_NAME ".contrace-destination-%08x.tmp" /* a temporary name: the sweep removes it */
#define TEXT_MAX 4096

int mark_init(struct mark *m, const char *memory, bool require_mount)
{
    *m = (struct mark){.require_mount = require_mount};
    (void)pthread_mutex_init(&m->lock, NULL);
    m->memory = memory ? strdup(memory) : NULL;
    return memory && !m->memory ? -ENOMEM : 0;
}

void mark_done(struct mark *m)
{
    free(m->memory);
    (void)pthread_mutex_destroy(&m->lock);
}

static bool is_id(const char *text)
{
    return strspn(text, HEX_DIGITS) == MARK_ID_SIZE - 1 && text[MARK_ID_SIZE - 1] == '\n';
}

/* 0; -ENOENT; -EBADMSG: not a mark of ours; or another negative errno. */
static int read_mark(int dir, char id[static MARK_ID_SIZE])
{
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    _cleanup_close_ int fd = openat(dir, MARK_NAME, flags);
    char text[MARK_ID_SIZE + 1] = "";
    ssize_t n;

    if (fd < 0)
        return errno == ELOOP ? -EBADMSG : -errno;
    do
        n = read(fd, text, sizeof(text) - 1);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    if (!is_id(text))
        return -EBADMSG;
    (void)snprintf(id, MARK_ID_SIZE, "%.*s", MARK_ID_SIZE - 1, text);
    return 0;
}

/* Writes a whole file or none. `fresh`: -EEXIST if there is one. */
static int write_file(int dir, const char *name, const char *text, bool fresh)
{
    char tmp[64];
    unsigned number = 0;
    _cleanup_close_ int fd = -1;
    int r;

    if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
        return -EIO;
    (void)snprintf(tmp, sizeof(tmp), TMP_NAME, number);
    fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return -errno;
    r = write_all(fd, text, strlen(text));
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    if (r == 0 && fresh)
        r = entry_place_new(dir, tmp, name);
    else if (r == 0 && renameat(dir, tmp, dir, name) < 0)
        r = -errno;
    if (r == 0 && fsync(dir) < 0 && errno != EINVAL)
        r = -errno;
    if (r < 0)
        (void)unlinkat(dir, tmp, 0);
    return r;
}

static const char *fault_of(int found)
{
    switch (found) {
    case 0: return "its " MARK_NAME " is another one";
    case -EBADMSG: return "contraced did not write its " MARK_NAME;
    default: return "it has no " MARK_NAME;
    }
}

/* If two processes mark the directory at once, the second takes over the first one's mark. */
static int make_mark(int dir, char id[static MARK_ID_SIZE])
{
    unsigned char raw[(MARK_ID_SIZE - 1) / 2];
    char text[MARK_ID_SIZE + 1];
    int r;

    if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
        return -EIO;
    hex_encode(raw, sizeof(raw), text);
    memcpy(text + MARK_ID_SIZE - 1, "\n", 2);
    r = write_file(dir, MARK_NAME, text, true);
    if (r == -EEXIST)
        return read_mark(dir, id);
    if (r == 0)
        (void)snprintf(id, MARK_ID_SIZE, "%.*s", MARK_ID_SIZE - 1, text);
    return r;
}

/* Whether there is no valid memory, rather than one that cannot be read now. */
static bool is_none(int error)
{
    return error == -ENOENT || error == -EISDIR || error == -EINVAL || error == -E2BIG;
}

/* The memory is "ID mounted PATH" or "ID plain PATH". One of another path counts as none. 0; or a
 * negative errno if it cannot be read now: then what was known stays. */
static int load(struct mark *m, const char *base)
{
    char state[8] = "", *end;
    int at = 0, r;
    struct buf text;

    buf_init(&text, TEXT_MAX);
    r = buf_read_file(&text, m->memory);
    if (r < 0 && !is_none(r)) {
        buf_done(&text);
        return r;
    }
    m->loaded = true;
    m->known = false;
    if (r >= 0 && text.len > 0 &&
        sscanf(buf_str(&text), "%32[0-9a-f] %7[a-z] %n", m->id, state, &at) == 2 && at > 0) {
        end = strchr(text.data + at, '\n');
        m->mounted = strcmp(state, "mounted") == 0;
        m->known = end && (size_t)(end - text.data) - (size_t)at == strlen(base) &&
                   strncmp(text.data + at, base, strlen(base)) == 0;
    }
    m->kept = m->known;
    buf_done(&text);
    return 0;
}

/* If it cannot be written, the mark is known until the next start only. */
static void remember(struct mark *m, const char *base, const char *id, bool mounted)
{
    char *slash = strrchr(m->memory, '/'), text[TEXT_MAX];
    _cleanup_close_ int dir = -1;

    m->known = true;
    m->mounted = mounted;
    (void)snprintf(m->id, sizeof(m->id), "%s", id);
    (void)snprintf(text, sizeof(text), "%s %s %s\n", id, mounted ? "mounted" : "plain", base);
    if (!slash)
        return;
    *slash = '\0';
    dir = open(m->memory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *slash = '/';
    m->kept = dir >= 0 && write_file(dir, slash + 1, text, false) == 0;
}

static bool park(struct store_result *ret, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static bool park(struct store_result *ret, const char *fmt, ...)
{
    va_list args;

    *ret = (struct store_result){.end = STORE_PARKED};
    va_start(args, fmt);
    (void)vsnprintf(ret->text, sizeof(ret->text), fmt, args);
    va_end(args);
    return false;
}

static bool adopt(struct mark *m, int dir, const char *base, int found, char *id, bool mounted)
{
    /* If no mark can be written nothing is remembered. Writing objects may still work. */
    if ((found == -ENOENT ? make_mark(dir, id) : found) == 0)
        remember(m, base, id, mounted);
    return true;
}

static bool check(struct mark *m, int dir, const char *base, struct store_result *ret)
{
    char id[MARK_ID_SIZE] = "";
    bool mounted = mount_above(dir) > 0;
    int found, r = 0;

    if (m->require_mount && !mounted)
        return park(ret,
                    "nothing is mounted at %s or above it, and upload.require_mount is set: mount "
                    "its disk",
                    base);
    if (!m->memory)
        return true;
    found = read_mark(dir, id);
    if (found < 0 && found != -ENOENT && found != -EBADMSG) {
        entry_explain(found, "read", base, MARK_NAME, ret);
        return false;
    }
    if (!m->loaded)
        r = load(m, base);
    if (r == 0 && m->known && found == 0 && strcmp(id, m->id) == 0)
        return true;
    if (r == 0 && m->kept)
        r = load(m, base); /* a person may have removed it */
    if (r < 0) {
        entry_explain(r, "read", m->memory, "", ret);
        return false;
    }
    /* If nothing was mounted when the directory was marked, a disk mounted there since is right. */
    if (!m->known || (!m->mounted && mounted))
        return adopt(m, dir, base, found, id, mounted);
    return park(ret,
                "the directory %s is not the one that traces went to before (%s): mount its disk, "
                "or remove %s if this is the right one",
                base, fault_of(found), m->memory);
}

bool mark_check(struct mark *m, int dir, const char *base, struct store_result *ret)
{
    bool same;

    (void)pthread_mutex_lock(&m->lock);
    same = check(m, dir, base, ret);
    (void)pthread_mutex_unlock(&m->lock);
    return same;
}
