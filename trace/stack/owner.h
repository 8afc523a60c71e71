/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Tells whose code a function is: Go's, a library's, or the program's own. A trace has no word for
 * it, so that the function's name and its file's path decide. What is neither of Go nor of a module
 * with a version is the program's own.
 */

#include <stdbool.h>
#include <stddef.h>

enum owner {
    OWNER_STD,        /* Go's standard library */
    OWNER_DEPENDENCY, /* another module, C, or a function that no file has */
    OWNER_PROGRAM,
};

/* The length of the import path in a function's full name: up to the first dot after the last
 * slash. Types as parameters may have slashes of their own. */
size_t owner_package(const char *func);

/* Whether a function's full name, which no zero byte need follow, is one of Go's standard library, as
 * far as names tell: a module of one's own may be called so, too. */
bool owner_is_std_name(const char *func, size_t len);

/* The path of a file of Go's standard library, from below its directory src on; NULL: the file is none,
 * as far as its path tells. Borrowed from `file`, and the same if that has no directories above it. */
const char *owner_std_file(const char *file);

/* Whether the file is one that owner_of can use as main_file. */
bool owner_tells_main(const char *func, const char *file);

/*
 * The owner of a function by its full name and its file's path. main_file: a file of the package
 * main, or NULL. It tells the main module's own version where the program was built as a module of
 * the cache (go install path@version), and its place in a tree of sources without versions (GOPATH).
 */
enum owner owner_of(const char *func, const char *file, const char *main_file);
