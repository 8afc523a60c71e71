/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_SPOOL_TREE_H
#define CONTRACE_SPOOL_TREE_H

/*
 * The directories below storage.path and the files of a key in them. Every name is opened relative
 * to an open directory; symbolic links are not followed, and only directories and files that belong
 * to us are entered. Functions that take a `top` may run on a disk thread; it is tree.pending or
 * tree.archive.
 */

#include <pthread.h>
#include <stdbool.h>
#include <sys/stat.h>

struct tree_place {
    dev_t dev;
    ino_t ino;
};

struct tree {
    char *path; /* as configured, for messages */
    int root;
    int incoming, pending, archive;
    int lock;
    struct tree_place places[4]; /* device and inode of root, incoming, pending, archive */
    bool lost;                   /* one of them is gone and cannot be made again; that was logged */
    pthread_mutex_t making;      /* see tree_make_day */
};

/* Makes storage.path, but not its parents, if it is missing. Logs nothing: tree_open does. */
int tree_make(const char *path);

/* Opens storage.path and the directories in it, and takes the lock. Makes those that are missing,
 * but not the parents of storage.path. 0 or a negative errno; logs what is wrong. */
int tree_open(struct tree *t, const char *path);
void tree_close(struct tree *t);

/*
 * Checks whether storage.path and the directories in it are still there, and makes again those that
 * were removed or moved away. 1 if one was made again; 0 if all are there; or a negative errno if
 * one cannot be made. Logs both.
 */
int tree_mend(struct tree *t);

/* Opens a directory that belongs to us. 0; -ENOTDIR for anything but a directory, also for a
 * symbolic link; -EPERM if it belongs to another user; or another negative errno. */
int tree_open_dir(int parent, const char *name, int *ret_fd);

#define TREE_FILE_MODE 0640

/* Writes a text into a new file in incoming/ and syncs it. On an error the file is unlinked. */
int tree_write(const struct tree *t, const char *tmp, const char *text);

/* True for a regular file that belongs to us. */
bool tree_file_ours(const struct stat *st);

/* Opens a regular file that belongs to us for reading. -ELOOP for a symbolic link, -EPERM for
 * anything else that is not ours. A FIFO in its place does not block. */
int tree_open_file(int day, const char *name, int *ret_fd, struct stat *ret_st);

/* Opens the directory service/host/day of a key. -ENOENT when a part of it is missing. */
int tree_open_day(int top, const char *key, int *ret_fd);

/*
 * As tree_open_day, but makes missing directories, durably. Two threads must not make the same
 * directory at once: the second would find it there and go on before the first has synced it. So a
 * mutex lets in one thread at a time.
 */
int tree_make_day(struct tree *t, int top, const char *key, int *ret_fd);

/* Removes the directories day, host and service of a key, as far as they are empty. */
void tree_prune(int top, const char *key);

/*
 * Renames without replacing: -EEXIST when the new name exists. If the file system cannot do that
 * atomically, looking first is good enough: only we write there, and no key is in flight twice.
 */
int tree_rename(int from, const char *name, int to, const char *new_name);

/* Unlinks a trace, then its record, then the directories that this leaves empty. It is no error if
 * they are not there. */
int tree_remove(int top, const char *key);

/* The part of a key behind the last '/'. */
const char *tree_leaf(const char *key);

#endif
