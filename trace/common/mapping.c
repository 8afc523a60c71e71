/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/common/mapping.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW MAPPING_WINDOW

/* Larger than any page: zeros behind each window, so that reads past its end are valid. */
#define BEHIND MAPPING_UNIT

/* For a window, wherever in the room the first multiple of MAPPING_UNIT lies. */
#define ROOM (WINDOW + BEHIND + MAPPING_UNIT)

struct mapping_window {
    struct mapping_window *next;
    void *room;
    uint8_t *data;
};

static int file_size(int fd, uint64_t *ret)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -ENODEV;
    *ret = (uint64_t)st.st_size;
    return 0;
}

int mapping_init(struct mapping *map, struct memory *mem, int fd)
{
    off_t start = lseek(fd, 0, SEEK_CUR);
    uint64_t size;

    memset(map, 0, sizeof(*map));
    map->mem = mem;
    map->fd = fd;
    map->start = (uint64_t)start;
    return start < 0 ? -errno : file_size(fd, &size);
}

static void drop_first(struct mapping *map)
{
    struct mapping_window *w = map->first;

    map->first = w->next;
    if (map->touched == w)
        map->touched = w->next;
    map->n--;
    (void)munmap(w->room, ROOM);
    memory_free(map->mem, w, sizeof(*w));
}

void mapping_release(struct mapping *map)
{
    while (map->first != map->last)
        drop_first(map);
}

void mapping_done(struct mapping *map)
{
    while (map->first)
        drop_first(map);
    map->last = NULL;
}

/* Maps the file's part over zeroed memory, which stays behind the file's end. */
static int place(const struct mapping *map, uint64_t from, size_t n, struct mapping_window *w)
{
    void *room = mmap(NULL, ROOM, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint8_t *data;
    int r;

    if (room == MAP_FAILED)
        return -errno;
    data = (uint8_t *)room + (MAPPING_UNIT - (uintptr_t)room % MAPPING_UNIT) % MAPPING_UNIT;
    if (mmap(data, n, PROT_READ, MAP_PRIVATE | MAP_FIXED, map->fd, (off_t)from) == MAP_FAILED) {
        r = -errno;
        (void)munmap(room, ROOM);
        return r;
    }
    w->room = room;
    w->data = data;
    return 0;
}

void mapping_leave(const uint8_t *data, const uint8_t *end)
{
    size_t before = (uintptr_t)data % MAPPING_UNIT, n = before + (size_t)(end - data);

    n += (MAPPING_UNIT - n % MAPPING_UNIT) % MAPPING_UNIT;
    /* If this fails pages stay in memory, which is harmless. */
    (void)madvise((void *)(uintptr_t)(data - before), n, MADV_DONTNEED);
}

static int add(struct mapping *map, uint64_t from, size_t n, uint8_t **ret)
{
    struct mapping_window *w;
    int r = memory_new(map->mem, sizeof(*w), &w);

    if (r < 0)
        return r;
    r = place(map, from, n, w);
    if (r < 0) {
        memory_free(map->mem, w, sizeof(*w));
        return r;
    }
    if (map->last)
        map->last->next = w;
    else
        map->first = w;
    map->last = w;
    map->n++;
    if (!map->touched)
        map->touched = w;
    for (; mapping_is_large(map) && map->touched != w; map->touched = map->touched->next)
        mapping_leave(map->touched->data, map->touched->data + WINDOW);
    *ret = w->data;
    return 0;
}

int mapping_next(struct mapping *map, uint64_t offset, uint8_t **ret, size_t *ret_n)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), size, at = map->start + offset;
    uint64_t from = at - at % page;
    size_t n;
    int r = file_size(map->fd, &size);

    if (r < 0)
        return r;
    if (at >= size) {
        *ret_n = 0;
        return 0;
    }
    n = size - from < WINDOW ? (size_t)(size - from) : WINDOW;
    r = add(map, from, n, ret);
    if (r < 0)
        return r;
    *ret += at - from;
    *ret_n = n - (size_t)(at - from);
    return 0;
}
