/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What those did who kept others waiting: the holder of a mutex, of a connection, or whom a request
 * waited for. */

#include "trace/findings/finding.h"

/* What the holders did for at least half of the time that goroutines waited for mutexes; SUMMARY_RAN
 * if there is no such thing. */
enum summary_before holder_of_locks(const struct summary *s);

/* Says it in the remark, such as "held over fdatasync (store.(*db).commit)". Of a remark that is
 * there already nothing changes. */
void holder_tell(const struct summary *s, struct finding *f);

/* Says in the remark what those did who ended waits in the service of requests. */
void holder_tell_inside(const struct summary *s, struct finding *f);

/* A function's name without the directories of its package. */
const char *holder_short(const char *func);
