/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/source/kube/annotation_name.h"

#include <string.h>

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

bool annotation_name_is_known(const char *name)
{
    return begins(name, ANNOTATION_OWN) || begins(name, ANNOTATION_GRAFANA) ||
           strcmp(name, ANNOTATION_SERVICE) == 0;
}
