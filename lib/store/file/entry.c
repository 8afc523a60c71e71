/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/file/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TROUBLE = true, ALONE = false };

struct meaning {
    int error;
    enum store_end end;
    bool trouble;
    const char *hint;
};

static const char no_room[] = "the file system or its quota is full: make room";
static const char check_owner[] = "give this user the right to it";
static const char disk_fails[] = "the disk or the server behind it fails";
static const char bad_key[] = "no file can have this name there";
static const char no_links[] = "something else is in its place: links are not followed";

static const struct meaning meanings[] = {
    {ENOSPC, STORE_RETRY, TROUBLE, no_room},
    {EDQUOT, STORE_RETRY, TROUBLE, no_room},
    {EIO, STORE_RETRY, TROUBLE, disk_fails},
    {ESTALE, STORE_RETRY, TROUBLE, disk_fails},
    {ETIMEDOUT, STORE_RETRY, TROUBLE, disk_fails},
    {EROFS, STORE_PARKED, ALONE,
     "mount it for writing; a systemd unit needs it in ReadWritePaths="},
    {EACCES, STORE_PARKED, ALONE,
     "give this user the right to it; restart contraced if it was mounted after its start"},
    {EPERM, STORE_PARKED, ALONE, check_owner},
    {ELOOP, STORE_PARKED, ALONE, no_links},
    {ENOTDIR, STORE_PARKED, ALONE, no_links},
    {EXDEV, STORE_PARKED, ALONE, "another file system is mounted in its place"},
    {EISDIR, STORE_REFUSED, ALONE, "a directory has this name"},
    {EINVAL, STORE_REFUSED, ALONE, bad_key},
    {EILSEQ, STORE_REFUSED, ALONE, bad_key},
    {ENAMETOOLONG, STORE_REFUSED, ALONE, bad_key},
    {EFBIG, STORE_REFUSED, ALONE, "the file system takes no file of this size"},
    {EEXIST, STORE_REFUSED, ALONE, "a file of other content is there and is kept"},
    {EMFILE, STORE_LOCAL, ALONE, ""},
    {ENFILE, STORE_LOCAL, ALONE, ""},
    {ENOMEM, STORE_LOCAL, ALONE, ""},
    {ECANCELED, STORE_LOCAL, ALONE, ""},
};

void entry_explain(int error, const char *doing, const char *base, const char *key,
                   struct store_result *ret)
{
    struct meaning m = {-error, STORE_RETRY, TROUBLE, ""};
    char what[128];

    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].error == -error)
            m = meanings[i];
    }
    ret->end = m.end;
    ret->trouble = m.trouble;
    (void)snprintf(ret->text, sizeof(ret->text), "cannot %s %s%s%s: %s%s%s", doing, base,
                   key[0] ? "/" : "", key, strerror_r(-error, what, sizeof(what)),
                   m.hint[0] ? "; " : "", m.hint);
}

/* Not every file system can rename without replacing; a hard link has the same effect. */
int entry_place_new(int dir, const char *aside, const char *leaf)
{
    if (renameat2(dir, aside, dir, leaf, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    if (linkat(dir, aside, dir, leaf, 0) < 0)
        return -errno;
    (void)unlinkat(dir, aside, 0); /* swept one day, if not now */
    return 0;
}
