/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trigger/psi.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "daemon/trigger/pressure.h"

#define MACHINE "/proc/pressure/cpu"
#define SELF "/proc/self/cgroup"
#define PSI_FILE_MAX 512      /* two lines */
#define CGROUP_FILE_MAX 65536 /* bytes: one line for each hierarchy of version 1 */

const char *psi_cgroup(const char *text, size_t *ret_n)
{
    while (text) {
        if (strncmp(text, "0::/", 4) == 0) {
            *ret_n = strcspn(text + 3, "\n");
            return text + 3;
        }
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    return NULL;
}

void psi_init(struct psi *p)
{
    /* Where version 2 may be mounted: alone, or beside version 1. */
    static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    const char *path = NULL;
    struct buf text;
    size_t n = 0;

    p->cgroup[0] = '\0';
    buf_init(&text, CGROUP_FILE_MAX);
    if (buf_read_file(&text, SELF) == 0)
        path = psi_cgroup(buf_str(&text), &n);
    for (size_t i = 0; path && i < sizeof(roots) / sizeof(roots[0]); i++) {
        int len = snprintf(p->cgroup, sizeof(p->cgroup), "%s%.*s%scpu.pressure", roots[i], (int)n,
                           path, n > 1 ? "/" : "");

        if (len > 0 && (size_t)len < sizeof(p->cgroup) && access(p->cgroup, R_OK) == 0)
            break;
        p->cgroup[0] = '\0';
    }
    buf_done(&text);
}

static int read_one(const char *path, double *ret_share)
{
    struct buf text;
    int r;

    buf_init(&text, PSI_FILE_MAX);
    r = buf_read_file(&text, path);
    if (r == 0)
        r = pressure_parse(buf_str(&text), ret_share);
    buf_done(&text);
    return r;
}

int psi_read(const struct psi *p, double *ret_share, const char **ret_path)
{
    double machine = 0, cgroup = 0;
    int r = read_one(MACHINE, &machine);
    int of_cgroup = p->cgroup[0] ? read_one(p->cgroup, &cgroup) : -ENOENT;
    bool take_cgroup = of_cgroup == 0 && (r < 0 || cgroup > machine);

    if (r < 0 && of_cgroup < 0)
        return r;
    *ret_share = take_cgroup ? cgroup : machine;
    *ret_path = take_cgroup ? p->cgroup : MACHINE;
    return 0;
}
