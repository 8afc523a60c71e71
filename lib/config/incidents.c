/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/incidents.h"

#include "base/cleanup.h"
#include "lib/config/data.h"
#include "lib/config/keys/scalar.h"
#include "lib/record/kind.h"

#define KEYS(array) .keys = (array), .n_keys = sizeof(array) / sizeof((array)[0])
#define AT(type, field) .offset = offsetof(struct type, field)

#define YEAR (365 * USEC_PER_DAY)
#define MILLION 1000000

int incidents_read_artifact(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count)
{
    static const struct table_key key = {.name = "incident_artifacts", .type = TABLE_STRING};
    struct job_config *job = base;
    _cleanup_free_ char *name = NULL;
    char names[KIND_NAMES_SIZE];
    enum kind kind;
    int r = scalar_read(f, node, &key, &name);

    (void)count;
    if (r < 0)
        return r;
    if (!kind_of_name(name, &kind))
        return yaml_file_error(f, node, "incident_artifacts: `%.60s` is none; there are %s", name,
                               kind_names(names));
    if (job->incident_artifacts & 1u << kind)
        return yaml_file_error(f, node, "incident_artifacts: %s is given twice", name);
    job->incident_artifacts |= 1u << kind;
    return 0;
}

static const struct table_choice ceiling_choices[] = {{"off", 0}, {NULL, 0}};

static const struct table_key incidents_keys[] = {
    {.name = "max_per_hour",
     .type = TABLE_UNSIGNED,
     AT(incidents_config, max_per_hour),
     .min = 1,
     .max = CONFIG_INCIDENTS_MAX},
    {.name = "max_per_target_per_hour",
     .type = TABLE_UNSIGNED,
     AT(incidents_config, max_per_target_per_hour),
     .min = 1,
     .max = CONFIG_INCIDENTS_MAX},
    {.name = "max_traced",
     .type = TABLE_RATIO,
     AT(incidents_config, max_traced),
     .min = MILLION / 10000,
     .max = MILLION},
    {.name = "cpu_pressure_ceiling",
     .type = TABLE_RATIO,
     AT(incidents_config, cpu_pressure_ceiling),
     .min = MILLION / 100,
     .max = MILLION,
     .choices = ceiling_choices},
    {.name = "keep", .type = TABLE_DURATION, AT(incidents_config, keep), .max = 100 * YEAR},
};

const struct table incidents_section = {.where = "in incidents", KEYS(incidents_keys)};
