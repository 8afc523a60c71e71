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
/* After these the watch tells nothing any more, or of another path. */
#define LOST (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)

#define TRIES 8 /* directories may appear while the nearest is looked for */

struct flagfile {
    sd_event *event;
    char *path;
    flagfile_fn fn;
    void *userdata;
    sd_event_source *look;  /* the next look at the file */
    sd_event_source *watch; /* of a directory, or NULL */
    dev_t device;           /* that directory */
    ino_t inode;
    bool there;
    bool settling;          /* a look follows in FLAGFILE_SETTLE */
    bool unwatched, unseen; /* it was said in the log */
    unsigned failures;      /* looks in a row that told nothing */
};

/* Cuts the last component off; "." and "/" have nothing above them. False at the top. */
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

/* Leaves the nearest directory above the file in `path`. False if none can be found. */
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

/* Watches what is nearest now. 1: it is another directory than before, 0: the same. */
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

/* 0 or a negative errno. */
static int watch(struct flagfile *f)
{
    int r = 1;

    for (int i = 0; r > 0 && i < TRIES; i++)
        r = renew_watch(f);
    if (r < 0)
        forget_watch(f);
    return r < 0 ? r : 0;
}

/* Once, until it can be watched again; and not where nothing at all can be told, which was said. */
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

/* Time is set absolutely, and to the loop's own. */
static void look_in(struct flagfile *f, usec wait, usec accuracy)
{
    usec now = loop_now(f->event, CLOCK_BOOTTIME);

    (void)sd_event_source_set_time_accuracy(f->look, accuracy);
    (void)sd_event_source_set_time(f->look, now + wait);
    (void)sd_event_source_set_enabled(f->look, SD_EVENT_ONESHOT);
}

/* What changes after the watch was set makes an event, so nothing falls between the two. */
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
    /* Another directory may get the same number. */
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
