/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* A literal for a member that is not const, such as those of the configuration. Nothing may change
 * it. */
#define TEXT(s) ((char *)(uintptr_t)(s))
