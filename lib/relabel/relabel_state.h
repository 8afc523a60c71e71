/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The inside of relabel.h: a rule that was checked, with all defaults filled in. */

#include "lib/relabel/regex.h"
#include "lib/relabel/relabel.h"

struct relabel_rule {
    enum relabel_action action;
    char **source_labels;
    size_t n_source_labels;
    char *separator, *target_label, *replacement;
    struct regex *regex;
    bool plain; /* the regex is the default one, and nothing is to be replaced in the texts */
    uint64_t modulus;
};
