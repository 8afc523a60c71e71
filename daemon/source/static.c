/* SPDX-License-Identifier: Apache-2.0 */

/*
 * static_configs: targets that are listed in the configuration itself or given by --target.
 */

#include "daemon/source/target_source.h"

static int static_targets(void *state, const struct config *config, size_t i,
                          struct target_sink *to)
{
    (void)state;
    return target_sink_put_list(to, &config->jobs[i].targets, NULL, NULL);
}

const struct target_source source_static = {
    .targets = static_targets,
};
