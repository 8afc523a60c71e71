/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Parses dates of HTTP to real time in usec. Pure. Times before 1970 are refused. 0, or -EINVAL for
 * text that is not exactly one of the forms.
 */

#include "base/clock.h"

/*
 * A date of HTTP (RFC 9110, section 5.6.7): the preferred form and the two obsolete ones.
 * `now` (real time) tells the century of a year of two digits: never more than 50 years ahead.
 */
int timestamp_parse_http(const char *text, usec now, usec *ret);
