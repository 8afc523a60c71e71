/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One YAML document in memory, its nodes and scalars, and errors with their place in the file. The
 * limits here keep any file cheap to read. What the nodes mean is written in the tables of table.h.
 * Functions that read return 0; or -EINVAL for an error that was reported, after which the caller
 * goes on with the next value; or another negative errno, which ends the reading.
 */

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "base/buf.h"
#include "lib/yaml/diag.h"
#include "lib/yaml/place.h"

#define YAML_FILE_MAX (4u << 20) /* bytes of one configuration or file_sd file */
#define YAML_DEPTH_MAX 32
#define YAML_NODES_MAX 500000
#define YAML_ANCHORS_MAX 256
#define YAML_SCALAR_MAX 4096         /* bytes of one value, variables expanded */
#define YAML_MEMORY_MAX (128u << 20) /* about the bytes of all values: aliases multiply them */

struct yaml_file {
    const char *name; /* for messages; relative paths are relative to its directory */
    char *text;       /* a copy with a terminating zero */
    bool expand;      /* ${VAR} in values */
    struct diags *diags;
    struct places places;
    yaml_document_t document;
    bool loaded;
    size_t memory;  /* left of YAML_MEMORY_MAX */
    size_t targets; /* read so far; kept here since the bound is for the whole file */
};

/* Reads a file into `text`, which is initialised here and to be released in any case. 0, or a
 * negative errno that is reported. */
int yaml_file_read(const char *path, struct buf *text, struct diags *d);

/*
 * Parses `len` bytes and calls `read` with the root, or NULL for a file without any content. The
 * nodes are gone afterwards. `name` is for messages and relative paths. Returns what `read` did, or
 * -EINVAL if an error was reported, or -ENOMEM. A syntax error is the only one that is reported for
 * a file that has it.
 */
int yaml_file_use(const char *name, const char *text, size_t len, bool expand,
                  int (*read)(struct yaml_file *f, yaml_node_t *root, void *userdata),
                  void *userdata, struct diags *d);

yaml_node_t *yaml_file_node(struct yaml_file *f, int id);

/* Reports an error at a node (NULL: the file as a whole). Always returns -EINVAL. */
int yaml_file_error(struct yaml_file *f, const yaml_node_t *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As yaml_file_error, for a line that must not be shown: it may hold a secret. */
int yaml_file_error_unseen(struct yaml_file *f, const yaml_node_t *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Reports that memory is short. Always returns -ENOMEM. */
int yaml_file_oom(struct yaml_file *f);

/* Counts memory that will be allocated for `node` against the file's allowance. 0 or -E2BIG. */
int yaml_file_spend(struct yaml_file *f, const yaml_node_t *node, size_t bytes);

/* Remembers where in the file a value came from. */
int yaml_file_place(struct yaml_file *f, const yaml_node_t *node, const void *of, bool bad);

/* Nothing, or null: `key:`, `key: ~`, `key: null`. */
bool yaml_is_null(const yaml_node_t *node);

/* "a mapping", "a list", "text", "nothing" */
const char *yaml_kind(const yaml_node_t *node);

/* The text of a scalar, variables expanded, as a string of its own. `what` is its name in
 * messages. */
int yaml_scalar(struct yaml_file *f, const yaml_node_t *node, const char *what, char **ret);

/* The same, with `$` as it stands. */
int yaml_verbatim(struct yaml_file *f, const yaml_node_t *node, const char *what, char **ret);

/* The key of a mapping's pair: plain text, borrowed from the document. */
int yaml_key_text(struct yaml_file *f, const yaml_node_pair_t *pair, const char **ret);

/* The same key in an earlier pair of the mapping that begins with `first`; NULL: there is none. */
const yaml_node_t *yaml_key_before(struct yaml_file *f, const yaml_node_pair_t *first,
                                   const yaml_node_pair_t *pair);
