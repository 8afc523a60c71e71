/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which port of a pod is asked, where no relabel_configs say so: the one that its annotations name,
 * or the one that looks like it. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/source/kube/annotation.h"
#include "daemon/source/kube/pod.h"

enum choice_end {
    CHOICE_NONE,  /* the pod does not want to be captured, or is not up */
    CHOICE_ONE,   /* at `port` */
    CHOICE_WRONG, /* it wants to be, but there is no telling where: `why` */
};

struct choice {
    uint16_t port;
    const char *container; /* that declares the port; NULL: none does */
    const char *why;       /* static text */
    struct annotation says;
};

enum choice_end choice_of(const struct pod *p, struct choice *ret);
