/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/artifact/artifacts.h"

#include "base/buf.h"
#include "daemon/artifact/rows.h"

#define ADDRESS(name) &artifact_##name,

const struct artifact *const artifacts[] = {ARTIFACT_ROWS(ADDRESS)};
const size_t n_artifacts = sizeof(artifacts) / sizeof(artifacts[0]);

const struct artifact *artifacts_of_kind(enum kind kind)
{
    for (size_t i = 0; i < n_artifacts; i++) {
        if (artifacts[i]->kind == kind)
            return artifacts[i];
    }
    return NULL;
}

const struct artifact *artifacts_sampler(void)
{
    for (size_t i = 0; i < n_artifacts; i++) {
        if (artifacts[i]->samples)
            return artifacts[i];
    }
    return NULL;
}

const struct artifact *artifacts_find(const char *name)
{
    enum kind kind;

    return kind_of_name(name, &kind) ? artifacts_of_kind(kind) : NULL;
}

const char *artifacts_names(char out[static ARTIFACTS_NAMES_SIZE])
{
    struct buf names;

    buf_over(&names, out, ARTIFACTS_NAMES_SIZE);
    for (size_t i = 0; i < n_artifacts; i++)
        (void)buf_addf(&names, "%s%s", i > 0 ? ", " : "", kind_name(artifacts[i]->kind));
    return buf_str(&names);
}
