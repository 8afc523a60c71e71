/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Stands in for the fuzzer's main in the normal build: runs the fuzz target once on each file
 * named, and on each file in the directories named; of an archive (tests/support/txtar.h) on each
 * file in it, but on no .expected, which says what another test wants. A finding shows as it would
 * in the fuzzer, by a crash or a sanitizer's report; the input's name is printed before it runs when
 * REPLAY_VERBOSE is set. One line closes a good run.
 */

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/txtar.h"

#define INPUT_MAX (16U << 20)

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);

    return n >= m && strcmp(name + n - m, end) == 0;
}

/* In memory of its size, so that ASan sees a read past the end. */
static int run(const char *name, const void *data, size_t size, unsigned *count)
{
    uint8_t *copy;

    if (ends_with(name, ".expected"))
        return 0;
    copy = malloc(size > 0 ? size : 1);
    if (!copy)
        return -ENOMEM;
    if (size > 0)
        memcpy(copy, data, size);
    if (getenv("REPLAY_VERBOSE"))
        (void)fprintf(stderr, "%s\n", name);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    (*count)++;
    return 0;
}

static int run_archive(const char *data, size_t size, unsigned *count)
{
    const char *end = data + size;
    struct txtar_file file;
    int r = 0;

    while (r == 0 && txtar_next(&data, end, &file))
        r = run(file.name, file.data, file.len, count);
    return r;
}

static int replay_file(const char *path, size_t size, unsigned *count)
{
    _cleanup_free_ char *data = NULL;
    FILE *f;
    int r = 0;

    if (size > INPUT_MAX)
        return -EFBIG;
    f = fopen(path, "rbe");
    if (!f)
        return -errno;
    data = malloc(size > 0 ? size : 1);
    if (!data)
        r = -ENOMEM;
    else if (fread(data, 1, size, f) != size)
        r = -EIO;
    (void)fclose(f);
    if (r < 0)
        return r;
    return ends_with(path, ".txtar") ? run_archive(data, size, count)
                                     : run(path, data, size, count);
}

static int replay(const char *path, unsigned *count);

static int replay_directory(const char *path, unsigned *count)
{
    DIR *dir = opendir(path);
    struct dirent *de;
    int r = 0;

    if (!dir)
        return -errno;
    while (r >= 0 && (de = readdir(dir))) {
        char *child;

        if (de->d_name[0] == '.')
            continue;
        if (asprintf(&child, "%s/%s", path, de->d_name) < 0) {
            r = -ENOMEM;
            break;
        }
        r = replay(child, count);
        free(child);
    }
    closedir(dir);
    return r;
}

static int replay(const char *path, unsigned *count)
{
    struct stat st;
    int r;

    if (stat(path, &st) < 0)
        r = -errno;
    else if (S_ISDIR(st.st_mode))
        return replay_directory(path, count);
    else
        r = replay_file(path, (size_t)st.st_size, count);
    if (r < 0)
        (void)fprintf(stderr, "%s: %s\n", path, strerror(-r));
    return r;
}

int main(int argc, char **argv)
{
    const char *name = strrchr(argv[0], '/');
    unsigned count = 0;

    for (int i = 1; i < argc; i++)
        if (replay(argv[i], &count) < 0)
            return 1;
    printf("%s: %u inputs replayed\n", name ? name + 1 : argv[0], count);
    if (count == 0) {
        fprintf(stderr, "no input: name files or directories of them\n");
        return 1;
    }
    return 0;
}
