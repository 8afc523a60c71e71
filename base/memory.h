/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Memory that is not needed for now goes back to the machine.
 */

/*
 * Gives back the holes in the heap, which glibc would keep (malloc_trim(3)), and this process's view
 * of code and constants that were last used long ago, such as by the dynamic linker at the start:
 * what is needed again comes from the page cache, at a fraction of a microsecond a page. Costs some
 * ten microseconds a MiB. Cannot fail.
 */
void memory_give_back(void);
