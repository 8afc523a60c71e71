/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The section `flight` of a job: where the service has its flight recording. */

#include "lib/config/data.h"
#include "lib/config/keys/table.h"

#define FLIGHT_HEADERS_MAX 16
#define FLIGHT_HEADER_MAX 1000 /* bytes of a header's value */

extern const struct table flight_section;

/* A copy, to be released with flight_done. 0, or -ENOMEM and *ret holds nothing. */
int flight_copy(const struct flight_config *from, struct flight_config *ret);
void flight_done(struct flight_config *flight);
