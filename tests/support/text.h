/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* A literal for a member that is not const, as those of the configuration. Nothing changes it. */
#define TEXT(s) ((char *)(uintptr_t)(s))
