/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/context/cgrouppath.h"

#define V2 "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
#define HYBRID                                                                 \
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw\n"               \
    "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"              \
    "33 31 0:30 / /sys/fs/cgroup/acct rw - cgroup cgroup rw,cpuacct\n"         \
    "37 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n" \
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"

static const struct {
    const char *what, *cgroups, *mounts, *controller;
    int version;
    unsigned levels;
    const char *name, *dir;
} rows[] = {
    {"version 2", "0::/shop.slice/shop.service\n", V2, "cpu", 2, 3, "/shop.slice/shop.service",
     "sys/fs/cgroup/shop.slice/shop.service"},
    {"its root", "0::/\n", V2, "memory", 2, 1, "/", "sys/fs/cgroup"},
    {"no end of line", "0::/a", V2, "cpu", 2, 2, "/a", "sys/fs/cgroup/a"},
    {"version 1, together", "4:cpu,cpuacct:/a/b\n3:memory:/m\n",
     "30 23 0:26 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n", "cpuacct", 1, 3,
     "/a/b", "sys/fs/cgroup/cpu,cpuacct/a/b"},
    {"a controller's name is whole", "4:cpuacct:/acct\n5:cpuset:/set\n1:cpu:/cpu\n", HYBRID, "cpu",
     1, 2, "/cpu", "sys/fs/cgroup/cpu/cpu"},
    {"hybrid, version 1 has it", "2:cpuacct:/\n1:cpu:/x\n0::/unit\n", HYBRID, "cpu", 1, 2, "/x",
     "sys/fs/cgroup/cpu/x"},
    {"hybrid, version 2 has it", "2:cpuacct:/\n1:cpu:/x\n0::/unit\n", HYBRID, "memory", 2, 2,
     "/unit", "sys/fs/cgroup/unified/unit"},
    {"a container's part of the tree", "0::/kube/pod/c1\n",
     "30 23 0:26 /kube/pod/c1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n", "cpu", 2, 1, "/kube/pod/c1",
     "sys/fs/cgroup"},
    {"below it", "0::/kube/pod/c1/init.scope\n",
     "30 23 0:26 /kube/pod/c1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n", "cpu", 2, 2,
     "/kube/pod/c1/init.scope", "sys/fs/cgroup/init.scope"},
    {"the mount that shows most", "0::/kube/pod/c1\n",
     "30 23 0:26 /kube/pod/c1 /mine ro - cgroup2 cgroup rw\n"
     "31 23 0:26 / /host/cgroup ro - cgroup2 cgroup rw\n"
     "32 23 0:26 /kube /other ro - cgroup2 cgroup rw\n",
     "cpu", 2, 4, "/kube/pod/c1", "host/cgroup/kube/pod/c1"},
    {"beside our own namespace, and its own mount", "0::/../c2\n",
     "30 23 0:26 /../c2 /sys/fs/cgroup ro - cgroup2 cgroup rw\n", "cpu", 2, 1, "/../c2",
     "sys/fs/cgroup"},
    {"above our namespace, and a mount of all", "0::/../../../other/c9\n",
     "30 23 0:26 /../../.. /host rw - cgroup2 cgroup rw\n", "cpu", 2, 3, "/../../../other/c9",
     "host/other/c9"},
    {"blanks in paths", "0::/a b\n", "30 23 0:26 / /sys/my\\040cgroup rw - cgroup2 cgroup2 rw\n",
     "cpu", 2, 2, "/a b", "sys/my cgroup/a b"},
    {"too deep to look at all", "0::/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18\n", V2, "cpu", 2,
     CGROUPPATH_LEVELS, "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18",
     "sys/fs/cgroup/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18"},

    {"a mount that another covers", "0::/\n",
     "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n"
     "31 30 0:26 /kube/pod /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
     "cpu", 0, 0, NULL, NULL},
    {"and one that is seen", "0::/kube/pod/c1\n",
     "31 30 0:26 /kube/pod /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
     "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
     "cpu", 2, 2, "/kube/pod/c1", "sys/fs/cgroup/c1"},
    {"something else covers it", "0::/a\n", V2 "31 30 0:27 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n",
     "cpu", 0, 0, NULL, NULL},
    {"a mount in it covers nothing", "0::/a\n",
     V2 "31 30 0:26 /b /sys/fs/cgroup/b rw - cgroup2 cgroup rw\n", "cpu", 2, 2, "/a",
     "sys/fs/cgroup/a"},
    {"beside our own namespace, not visible", "0::/../c2\n", V2, "cpu", 0, 0, NULL, NULL},
    {"a neighbour's part of the tree", "0::/kube/pod2\n",
     "30 23 0:26 /kube/pod /sys/fs/cgroup ro - cgroup2 cgroup rw\n", "cpu", 0, 0, NULL, NULL},
    {"no such controller", "4:memory:/m\n", HYBRID, "cpu", 0, 0, NULL, NULL},
    {"not mounted", "4:memory:/m\n", HYBRID, "memory", 0, 0, NULL, NULL},
    {"no version 2", "0::/a\n", "32 31 0:29 / /c rw - cgroup cgroup rw,cpu\n", "cpu", 0, 0, NULL,
     NULL},
    {"no mounts", "0::/a\n", "", "cpu", 0, 0, NULL, NULL},
    {"no cgroups", "", V2, "cpu", 0, 0, NULL, NULL},
    {"not as expected", "nothing\n:::\n0:cpu\n0::\n0::a\n1\n\n", V2, "cpu", 0, 0, NULL, NULL},
    {"broken mounts", "0::/a\n",
     "\n30\n30 23 0:26\n30 23 0:26 / /x rw\n30 23 0:26 / /x rw - \n- - - -\n"
     "30 23 0:26 / x rw - cgroup2 c rw\n30 23 0:26 / /\\0 rw - cgroup2 c rw",
     "cpu", 2, 2, "/a", "\\0/a"},
    {"a mount over the root", "0::/a\n", "30 23 0:26 / / rw - cgroup2 c rw\n", "cpu", 0, 0, NULL,
     NULL},
};

static void test_find(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cgrouppath p;
        int r = cgrouppath_find(rows[i].cgroups, rows[i].mounts, rows[i].controller, &p);

        print_message("%s\n", rows[i].what);
        assert_int_equal(p.version, rows[i].version);
        assert_int_equal(r, rows[i].version ? 0 : -ENOENT);
        if (r < 0)
            continue;
        assert_int_equal(p.levels, rows[i].levels);
        assert_string_equal(p.name, rows[i].name);
        assert_string_equal(p.dir, rows[i].dir);
    }
}

/* A name that is too long is none; a mount point that is too long is no mount. */
static void test_long(void **state)
{
    char *long_one = malloc(8192), *text = malloc(16384);
    struct cgrouppath p;

    (void)state;
    memset(long_one, 'x', 8191);
    long_one[8191] = '\0';
    (void)snprintf(text, 16384, "0::/%s\n", long_one);
    assert_int_equal(cgrouppath_find(text, V2, "cpu", &p), -ENOENT);
    (void)snprintf(text, 16384, "30 23 0:26 / /%s rw - cgroup2 c rw\n" V2, long_one);
    assert_int_equal(cgrouppath_find("0::/a\n", text, "cpu", &p), 0);
    assert_string_equal(p.dir, "sys/fs/cgroup/a");
    long_one[CGROUPPATH_SIZE - 3] = '\0';
    (void)snprintf(text, 16384, "30 23 0:26 / /%s rw - cgroup2 c rw\n", long_one);
    assert_int_equal(cgrouppath_find("0::/abc\n", text, "cpu", &p), -ENOENT);
    assert_int_equal(p.version, 0);
    free(long_one);
    free(text);
}

static void test_mount(void **state)
{
    struct cgrouppath p;

    (void)state;
    assert_int_equal(cgrouppath_find("0::/a\n", V2, "cpu", &p), 0);
    assert_int_equal(p.mount, 30);
}

static void test_level(void **state)
{
    struct cgrouppath p = {.version = 2, .name = "/pod/c1"};
    char out[CONTEXT_LEVEL_SIZE];

    (void)state;
    assert_string_equal(cgrouppath_level(&p, 0, out), "/pod/c1");
    assert_string_equal(cgrouppath_level(&p, 1, out), "/pod");
    assert_string_equal(cgrouppath_level(&p, 2, out), "/");
    assert_string_equal(cgrouppath_level(&p, 3, out), "/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_mount),
        cmocka_unit_test(test_level),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
