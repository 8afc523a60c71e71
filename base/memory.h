/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Gives memory that is not needed for now back to the system.
 */

/*
 * Gives back free pages of the heap, which glibc would keep (malloc_trim(3)), and mapped pages of
 * code and constants, which come back from the page cache when they are used again (a fraction of a
 * microsecond a page). Takes some ten microseconds a MiB. Cannot fail.
 */
void memory_give_back(void);
