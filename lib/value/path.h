/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where a value is in JSON such as docs/summary.schema.json describes: scheduler.latency.p99_ns,
 * findings[0].score, regions["db.query"].max_ns. A quoted key in a list names the item that is
 * called so: by its member `type`, `reason`, `code`, `func` or `name`. A number names an item of a list by
 * its place, in brackets or between dots. Pure.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define PATH_SIZE 256 /* of its text, with the zero byte */
#define PATH_PARTS_MAX 16

struct path {
    char text[PATH_SIZE];
    char keys[PATH_SIZE]; /* each ends with a zero byte */
    size_t n;
    struct path_part {
        unsigned short key; /* where in `keys` */
        bool quoted;        /* never a place in a list */
    } parts[PATH_PARTS_MAX];
};

/* Reads the path that the text begins with. Returns how many bytes it takes, or -EINVAL if there is
 * none, or it is too long. */
int path_scan(const char *text, struct path *ret);

/* As path_scan, of a text that is nothing else. 0 or -EINVAL. */
int path_parse(const char *text, struct path *ret);

enum path_found {
    PATH_FOUND,
    PATH_ABSENT,  /* it could be there: no such item in a list, null, a member that not all have */
    PATH_UNKNOWN, /* nothing is ever there */
};

/* *ret is borrowed from the document; only of PATH_FOUND. */
enum path_found path_find(const struct path *path, const json_t *document, const json_t **ret);

/* The part that says in which unit the value is: the last that ends like one, else the last. */
const char *path_unit(const struct path *path);

/* A number that is there, or true or false as 1 or 0. */
bool path_number(const struct path *path, const json_t *document, double *ret);

/* The paths of numbers in the document that are most like this text, the nearest first. Returns how
 * many were found. */
#define PATH_NEAR 3
size_t path_near(const char *text, const json_t *document, char found[static PATH_NEAR][PATH_SIZE]);
