/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_SPOOL_TREE_H
#define CONTRACE_SPOOL_TREE_H

/*
 * The directories below storage.path and the way to a key in them. Every step is taken relative to
 * an open directory, follows no symbolic link and enters only what belongs to us. What takes a
 * `top` may run on a disk thread.
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
    struct tree_place places[4]; /* where these are: root, incoming, pending, archive */
    bool lost;                   /* one is not, and cannot be made anew: that was logged */
    pthread_mutex_t making;      /* see tree_make_day */
};

/* Makes storage.path, not its parents, if it is missing. Logs nothing: tree_open does. */
int tree_make(const char *path);

/* Opens, and makes where they are missing, storage.path (not its parents) and the directories in
 * it, and takes the lock. Logs what is wrong. */
int tree_open(struct tree *t, const char *path);
void tree_close(struct tree *t);

/*
 * Looks whether storage.path and the directories in it are still there, and makes anew what was
 * removed or moved away. 1 if something was, which is logged as what cannot be is; else 0 or a
 * negative errno.
 */
int tree_mend(struct tree *t);

/* Opens a directory of ours. -ENOTDIR for anything else, also a symbolic link; -EPERM when
 * foreign. */
int tree_open_dir(int parent, const char *name, int *ret_fd);

#define TREE_FILE_MODE 0640

/* Writes a text into a new file in incoming/, durably. On an error nothing of it stays. */
int tree_write(const struct tree *t, const char *tmp, const char *text);

/* True for a regular file that belongs to us. */
bool tree_file_ours(const struct stat *st);

/* Opens a file of ours for reading: -ELOOP for a symbolic link, -EPERM for anything else that is not
 * ours. A FIFO in its place does not block. */
int tree_open_file(int day, const char *name, int *ret_fd, struct stat *ret_st);

/* Opens service/host/day of a key; -ENOENT when one is missing. */
int tree_open_day(int top, const char *key, int *ret_fd);

/*
 * As tree_open_day, but makes what is missing, durably. Two threads must not make the same
 * directory at once: the one that finds it there would go on before the other has synced it. So one
 * does at a time.
 */
int tree_make_day(struct tree *t, int top, const char *key, int *ret_fd);

/* Removes service/host/day as far as they are empty. */
void tree_prune(int top, const char *key);

/*
 * Renames without replacing: -EEXIST when something has the new name. Where the file system cannot
 * promise that, looking first is as good: we are the only one to write there, and no key is in
 * flight twice.
 */
int tree_rename(int from, const char *name, int to, const char *new_name);

/* Unlinks a trace, then its record, then directories that this empties. What is not there is no
 * error. */
int tree_remove(int top, const char *key);

/* The part of a key behind the last '/'. */
const char *tree_leaf(const char *key);

#endif
