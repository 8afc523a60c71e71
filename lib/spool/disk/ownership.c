/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/disk/ownership.h"

#include <errno.h>
#include <unistd.h>

#include "base/groups.h"
#include "base/log.h"

#define OTHERS_WRITE ((mode_t)(S_IWGRP | S_IWOTH))
#define PERMISSIONS 07777

static const struct log_fields storage = {.message_id = MESSAGE_ID_STORAGE};

static unsigned mode_of(const struct stat *st)
{
    return (unsigned)(st->st_mode & PERMISSIONS);
}

static mode_t tight(const struct stat *st)
{
    return st->st_mode & PERMISSIONS & ~OTHERS_WRITE;
}

void ownership_tighten(int fd, const struct stat *st)
{
    if ((st->st_mode & OTHERS_WRITE) && fchmod(fd, tight(st)) < 0)
        log_debug("cannot chmod a part of the spool: %m");
}

void ownership_tighten_at(int dir, const char *name, const struct stat *st)
{
    if ((st->st_mode & OTHERS_WRITE) && fchmodat(dir, name, tight(st), 0) < 0)
        log_debug("cannot chmod %s: %m", name);
}

/* True if only the owner and groups that we are in may write there. */
static bool shared_with_us_alone(const struct stat *st)
{
    return !(st->st_mode & S_IWOTH) && (!(st->st_mode & S_IWGRP) || groups_have(st->st_gid));
}

static int refuse_owner(const struct stat *st, const char *path, const char *name, bool top)
{
    if (st->st_uid == 0 && top)
        log_write(LOG_LEVEL_ERROR, &storage,
                  "%s belongs to root (mode %04o, group %u), not to us (%u); not used: set "
                  "storage.path to a directory in it, as %s/spool, which contraced makes",
                  path, mode_of(st), (unsigned)st->st_gid, (unsigned)geteuid(), path);
    else
        log_write(LOG_LEVEL_ERROR, &storage,
                  "%s%s belongs to user %u, not to us (%u); not used: run contraced as that user, "
                  "or chown -R %u %s",
                  path, name, (unsigned)st->st_uid, (unsigned)geteuid(), (unsigned)geteuid(), path);
    return -EPERM;
}

static int refuse_mode(const struct stat *st, const char *path, const char *name)
{
    log_write(LOG_LEVEL_ERROR, &storage,
              "%s%s may be written by others (mode %04o) and stays so after chmod; not used: mount "
              "its file system with other modes (dir_mode=0750,file_mode=0640)",
              path, name, mode_of(st));
    return -EPERM;
}

int ownership_settle(int fd, const char *path, const char *name, bool top)
{
    struct stat st, before;

    if (fstat(fd, &before) < 0)
        return -errno;
    if (before.st_uid != geteuid() && top && before.st_uid == 0 && shared_with_us_alone(&before))
        return 0;
    if (before.st_uid != geteuid())
        return refuse_owner(&before, path, name, top);
    ownership_tighten(fd, &before);
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!shared_with_us_alone(&st))
        return refuse_mode(&st, path, name);
    if (before.st_mode != st.st_mode)
        log_write(LOG_LEVEL_INFO, &storage,
                  "%s%s could be written by others (mode %04o); it is %04o now", path, name,
                  mode_of(&before), mode_of(&st));
    return 0;
}
