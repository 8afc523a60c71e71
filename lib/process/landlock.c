/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/process/landlock.h"

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/landlock.h, which older systems lack. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#define CREATE_VERSION 1U
#define RULE_PATH_BENEATH 1

struct path_beneath {
    uint64_t fs;
    int32_t directory;
} __attribute__((packed));

int landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);

    return version > 0 ? (int)version : 0;
}

struct landlock_rights landlock_all(int version)
{
    static const unsigned char fs_rights[] = {0, 13, 14, 15, 15, 16};
    int i = version < 0 ? 0 : version > 5 ? 5 : version;

    return (struct landlock_rights){
        .fs = (UINT64_C(1) << fs_rights[i]) - 1,
        .net = version >= 4 ? 3 : 0,
        .scope = version >= 6 ? 3 : 0,
    };
}

/* What an older kernel's ruleset has. */
static size_t size_of_ruleset(int version)
{
    return version >= 6 ? sizeof(struct landlock_rights)
         : version >= 4 ? offsetof(struct landlock_rights, scope)
                        : offsetof(struct landlock_rights, net);
}

int landlock_new(const struct landlock_rights *handled)
{
    int version = landlock_version();
    struct landlock_rights known = landlock_all(version);
    long fd;

    if (version == 0)
        return -ENOSYS;
    known.fs &= handled->fs;
    known.net &= handled->net;
    known.scope &= handled->scope;
    fd = syscall(SYS_landlock_create_ruleset, &known, size_of_ruleset(version), 0U);
    return fd < 0 ? -errno : (int)fd;
}

int landlock_allow(int ruleset, int directory, uint64_t fs)
{
    const struct path_beneath rule = {.fs = fs & landlock_all(landlock_version()).fs,
                                      .directory = directory};

    if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0U) < 0)
        return -errno;
    return 0;
}

int landlock_enforce(int ruleset)
{
    return syscall(SYS_landlock_restrict_self, ruleset, 0U) < 0 ? -errno : 0;
}
