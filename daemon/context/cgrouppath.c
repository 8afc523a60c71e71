/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/context/cgrouppath.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD_MAX 5 /* of a mount: number, parent, device, root, mount point */

/* A piece of a text, borrowed from it. */
struct piece {
    const char *data;
    size_t n;
};

static bool is(const struct piece *p, const char *text)
{
    return p->n == strlen(text) && memcmp(p->data, text, p->n) == 0;
}

/* Takes what comes before the separator, or all of the line. */
static struct piece take(const char **at, char separator)
{
    const char *end = *at + strcspn(*at, (char[]){'\n', separator, '\0'});
    struct piece p = {*at, (size_t)(end - *at)};

    *at = *end && *end == separator ? end + 1 : end;
    return p;
}

static const char *next_line(const char *text)
{
    text += strcspn(text, "\n");
    return *text ? text + 1 : NULL;
}

/* Whether a list with commas has this word. */
static bool lists(struct piece list, const char *word)
{
    const char *at = list.data, *end = list.data + list.n;

    while (at < end) {
        size_t n = 0;

        while (at + n < end && at[n] != ',')
            n++;
        if (is(&(struct piece){at, n}, word))
            return true;
        at += n + 1;
    }
    return false;
}

/* A line of /proc/PID/cgroup, "4:cpu,cpuacct:/shop". Finds the one that has the controller. */
static int find_name(const char *text, const char *controller, struct piece *ret)
{
    int version = 0;

    for (; text && *text; text = next_line(text)) {
        const char *at = text;
        struct piece number = take(&at, ':'), controllers = take(&at, ':');
        struct piece name = take(&at, '\0');

        if (name.n == 0 || name.data[0] != '/')
            continue;
        if (lists(controllers, controller)) {
            *ret = name;
            return 1;
        }
        if (is(&number, "0") && controllers.n == 0) {
            *ret = name;
            version = 2;
        }
    }
    return version;
}

/* A path of mountinfo, in which blanks and the like are octal: "\040". -ENAMETOOLONG. */
static int unescape(struct piece p, char *out, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < p.n; i++, n++) {
        const char *c = p.data + i;

        if (n + 1 >= size)
            return -ENAMETOOLONG;
        if (*c == '\\' && i + 3 < p.n) {
            out[n] = (char)((c[1] - '0') << 6 | (c[2] - '0') << 3 | (c[3] - '0'));
            i += 3;
        } else {
            out[n] = *c;
        }
    }
    out[n] = '\0';
    return 0;
}

struct mount {
    int version; /* of the cgroup hierarchy; 0: it is none */
    uint64_t id, parent;
    char root[CGROUPPATH_SIZE], point[CGROUPPATH_SIZE];
};

/* "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu" */
static void parse_mount(const char *line, const char *controller, struct mount *ret)
{
    struct piece fields[FIELD_MAX], type, options;

    ret->version = 0;
    ret->point[0] = '\0';
    for (size_t i = 0; i < FIELD_MAX; i++)
        fields[i] = take(&line, ' ');
    ret->id = strtoull(fields[0].data, NULL, 10);
    ret->parent = strtoull(fields[1].data, NULL, 10);
    do
        type = take(&line, ' ');
    while (type.n > 0 && !is(&type, "-"));
    type = take(&line, ' ');
    (void)take(&line, ' '); /* its source */
    options = take(&line, ' ');
    if (unescape(fields[3], ret->root, sizeof(ret->root)) < 0 ||
        unescape(fields[4], ret->point, sizeof(ret->point)) < 0 || ret->point[0] != '/')
        return;
    if (is(&type, "cgroup2"))
        ret->version = 2;
    else if (is(&type, "cgroup") && lists(options, controller))
        ret->version = 1;
}

/* Whether another mount stands on this one's mount point: then the path leads there. */
static bool is_covered(const struct mount *m, const char *mounts, const char *controller)
{
    for (; mounts && *mounts; mounts = next_line(mounts)) {
        struct mount other;

        parse_mount(mounts, controller, &other);
        if (other.parent == m->id && strcmp(other.point, m->point) == 0)
            return true;
    }
    return false;
}

/* What of the name is below the mount's root: "" or "/…". NULL: it is elsewhere. */
static const char *below(const char *name, const char *root)
{
    size_t n = strcmp(root, "/") == 0 ? 0 : strlen(root);

    if (strcmp(name, "/") == 0)
        name = "";
    if (strncmp(name, root, n) != 0 || (name[n] && name[n] != '/'))
        return NULL;
    /* In another namespace's part of the tree: "/../other". */
    return strstr(name + n, "/..") ? NULL : name + n;
}

static unsigned levels_of(const char *rest)
{
    unsigned n = 1;

    for (; *rest; rest++)
        n += *rest == '/';
    return n < CGROUPPATH_LEVELS ? n : CGROUPPATH_LEVELS;
}

/* Takes the mount if it shows the cgroup, and more levels than the one before. */
static void consider(const struct mount *m, struct cgrouppath *best)
{
    const char *rest = below(best->name, m->root);
    char dir[CGROUPPATH_SIZE];
    int n;

    if (!rest || levels_of(rest) <= best->levels)
        return;
    n = snprintf(dir, sizeof(dir), "%s%s", m->point + 1, rest);
    if (n <= 0 || (size_t)n >= sizeof(dir) || dir[0] == '/')
        return;
    best->levels = levels_of(rest);
    best->mount = m->id;
    (void)strcpy(best->dir, dir);
}

int cgrouppath_find(const char *cgroups, const char *mounts, const char *controller,
                    struct cgrouppath *ret)
{
    struct piece name = {NULL, 0};
    int version = find_name(cgroups, controller, &name);
    const char *line = mounts;

    ret->version = 0;
    ret->levels = 0;
    if (version == 0 || name.n >= sizeof(ret->name))
        return -ENOENT;
    memcpy(ret->name, name.data, name.n);
    ret->name[name.n] = '\0';
    for (; line && *line; line = next_line(line)) {
        struct mount m;

        parse_mount(line, controller, &m);
        if (m.version == version && !is_covered(&m, mounts, controller))
            consider(&m, ret);
    }
    if (ret->levels == 0)
        return -ENOENT;
    ret->version = version;
    return 0;
}

const char *cgrouppath_level(const struct cgrouppath *p, unsigned up,
                             char out[static CONTEXT_LEVEL_SIZE])
{
    (void)strcpy(out, p->name);
    for (; up > 0; up--) {
        char *slash = strrchr(out, '/');

        if (slash)
            slash[slash == out] = '\0';
    }
    return out;
}
