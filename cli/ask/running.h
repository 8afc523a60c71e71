/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the contraced that runs on this machine says of itself, for commands that also work without
 * it: if none runs, or we may not ask it, there is no message.
 */

/*
 * The directory of its traces, and the address at which it answered. Both are allocated; NULL if
 * none answered or we may not ask. 0, -EINTR or -ENOMEM, or another negative errno after a message.
 */
int running_spool(char **ret_path, char **ret_where);
