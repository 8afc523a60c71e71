/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trigger/flagfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/loop.h"

#define WATCHED                                                                            \
    (IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF | \
     IN_ONLYDIR)
/* After these events the watch is gone, or the directory has another path. */
#define LOST (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)

#define TRIES 8 /* directories may appear while the nearest one is searched for */

struct flagfile {
    sd_event *event;
    char *path;
    flagfile_fn fn;
    void *userdata;
    sd_event_source *look;  /* timer for the next check of the file */
    sd_event_source *watch; /* watch of a directory, or NULL */
    dev_t device;           /* device and inode of that directory */
    ino_t inode;
    bool there;
    bool settling;          /* the file will be checked within FLAGFILE_SETTLE */
    bool unwatched, unseen; /* the log has said so */
    unsigned failures;      /* checks in a row that failed */
};

/* Removes the last component of the path. False for "." and "/", which have nothing above them. */
static bool go_up(char *path)
{
    char *slash = strrchr(path, '/');

    if (!slash) {
        if (strcmp(path, ".") == 0)
            return false;
        strcpy(path, ".");
        return true;
    }
    while (slash > path && slash[-1] == '/')
        slash--;
    if (slash == path) {
        if (path[1] == '\0')
            return false;
        path[1] = '\0';
        return true;
    }
    *slash = '\0';
    return true;
}

/* Shortens `path` to the nearest existing directory above it. False if none can be found. */
static bool nearest_directory(char *path, struct stat *ret)
{
    struct stat st;

    while (go_up(path)) {
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            *ret = st;
            return true;
        }
    }
    return false;
}

static int on_inotify(sd_event_source *s, const struct inotify_event *event, void *userdata);

static void forget_watch(struct flagfile *f)
{
    f->watch = sd_event_source_disable_unref(f->watch);
}

/* Watches the nearest existing directory. 1: it is another one than before; 0: the same; or a
 * negative errno. */
static int renew_watch(struct flagfile *f)
{
    _cleanup_free_ char *path = strdup(f->path);
    struct stat st;
    int r;

    if (!path)
        return -ENOMEM;
    if (!nearest_directory(path, &st))
        return -ENOENT;
    if (f->watch && st.st_dev == f->device && st.st_ino == f->inode)
        return 0;
    forget_watch(f);
    r = sd_event_add_inotify(f->event, &f->watch, path, WATCHED, on_inotify, f);
    if (r < 0)
        return r;
    f->device = st.st_dev;
    f->inode = st.st_ino;
    return 1;
}

/* Watches the nearest directory, and again if a nearer one appears meanwhile. 0 or a negative
 * errno. */
static int watch(struct flagfile *f)
{
    int r = 1;

    for (int i = 0; r > 0 && i < TRIES; i++)
        r = renew_watch(f);
    if (r < 0)
        forget_watch(f);
    return r < 0 ? r : 0;
}

/* Logs once that the file cannot be watched, until it can be again. Not if the file cannot even be
 * checked, as the log has said that already. */
static void say_unwatched(struct flagfile *f, int r)
{
    if (r < 0 && !f->unwatched && !f->unseen)
        log_warn("the flag file %s cannot be watched (%s): it is looked at every %d s", f->path,
                 strerror(-r), (int)(FLAGFILE_POLL / USEC_PER_SEC));
    f->unwatched = r < 0;
}

static void see(struct flagfile *f)
{
    struct stat st;
    bool there = stat(f->path, &st) == 0;

    if (!there && errno != ENOENT && errno != ENOTDIR) {
        if (!f->unseen)
            log_warn("it cannot be told whether the flag file %s is there (%s): captures stay %s",
                     f->path, strerror(errno), f->there ? "suspended" : "as they are");
        f->unseen = true;
        return;
    }
    f->unseen = false;
    f->there = there;
}

static usec next_look(struct flagfile *f)
{
    usec again = FLAGFILE_AGAIN;

    f->failures = f->unseen ? f->failures + 1 : 0;
    for (unsigned i = 1; i < f->failures && again < FLAGFILE_POLL; i++)
        again *= 2;
    return f->unseen && again < FLAGFILE_POLL ? again : FLAGFILE_POLL;
}

/* Sets the timer for the next check, relative to the loop's present time. */
static void look_in(struct flagfile *f, usec wait, usec accuracy)
{
    usec now = loop_now(f->event, CLOCK_BOOTTIME);

    (void)sd_event_source_set_time_accuracy(f->look, accuracy);
    (void)sd_event_source_set_time(f->look, now + wait);
    (void)sd_event_source_set_enabled(f->look, SD_EVENT_ONESHOT);
}

/* Sets the watch, then checks the file. A change after the watch was set makes an event, so none is
 * missed. */
static void look(struct flagfile *f)
{
    int r = watch(f);
    usec wait;

    see(f);
    say_unwatched(f, r);
    f->settling = false;
    wait = next_look(f);
    look_in(f, wait, wait / 6);
}

static int on_look(sd_event_source *s, uint64_t now, void *userdata)
{
    struct flagfile *f = userdata;
    bool was = f->there;

    (void)s;
    (void)now;
    look(f);
    if (f->there != was)
        f->fn(f->userdata, f->there);
    return 0;
}

static int on_inotify(sd_event_source *s, const struct inotify_event *event, void *userdata)
{
    struct flagfile *f = userdata;

    (void)s;
    /* The watched directory is lost. A new one may get the same inode number, which must not be
     * taken for it. */
    if (event->mask & LOST)
        f->inode = 0;
    if (!f->settling)
        look_in(f, FLAGFILE_SETTLE, 10 * USEC_PER_MSEC);
    f->settling = true;
    return 0;
}

int flagfile_new(sd_event *event, const char *path, flagfile_fn fn, void *userdata,
                 struct flagfile **ret)
{
    struct flagfile *f = calloc(1, sizeof(*f));
    int r;

    if (!f)
        return -ENOMEM;
    f->event = sd_event_ref(event);
    f->fn = fn;
    f->userdata = userdata;
    f->path = strdup(path);
    r = f->path ? 0 : -ENOMEM;
    if (r == 0)
        r = sd_event_add_time(event, &f->look, CLOCK_BOOTTIME, 0, 0, on_look, f);
    if (r < 0) {
        flagfile_free(f);
        return r;
    }
    look(f);
    *ret = f;
    return 0;
}

void flagfile_free(struct flagfile *f)
{
    if (!f)
        return;
    forget_watch(f);
    sd_event_source_disable_unref(f->look);
    sd_event_unref(f->event);
    free(f->path);
    free(f);
}

bool flagfile_there(const struct flagfile *f)
{
    return f->there;
}

const char *flagfile_path(const struct flagfile *f)
{
    return f->path;
}
