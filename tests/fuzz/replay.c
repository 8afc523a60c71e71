/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Stands in for the fuzzer's main in the normal build: runs the fuzz target once on each file
 * named, and on each file in the directories named. A finding shows as it would in the fuzzer, by a
 * crash or a sanitizer's report; the input's name is printed before it runs when REPLAY_VERBOSE is
 * set. One line closes a good run.
 */

#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (16U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path, size_t size)
{
    uint8_t *data;
    FILE *f;
    int r = 0;

    if (size > INPUT_MAX)
        return -EFBIG;
    f = fopen(path, "rbe");
    if (!f)
        return -errno;
    data = malloc(size > 0 ? size : 1); /* exactly, so that ASan sees a read past the end */
    if (!data)
        r = -ENOMEM;
    else if (fread(data, 1, size, f) != size)
        r = -EIO;
    fclose(f);
    if (r == 0) {
        if (getenv("REPLAY_VERBOSE"))
            fprintf(stderr, "%s\n", path);
        (void)LLVMFuzzerTestOneInput(data, size);
    }
    free(data);
    return r;
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
        r = replay_file(path, (size_t)st.st_size);
    if (r < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(-r));
        return r;
    }
    (*count)++;
    return 0;
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
