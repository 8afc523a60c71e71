/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the contraced that runs here says of itself, for commands that can do without it: when none
 * is there, or it tells others only, there is no message.
 */

/*
 * Where it keeps its traces, as `contrace status` would find and show it; *ret_where is the address
 * that it answers at. Both are new; NULL: nobody answers, or only to others. 0, -EINTR or -ENOMEM,
 * or another negative errno after a message.
 */
int running_spool(char **ret_path, char **ret_where);
