/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Words that Go's runtime writes into traces: why goroutines block or stop, why the world is stopped,
 * what a worker of the collector does. The tables are those of Go 1.22 to 1.27: runtime/traceruntime.go,
 * proc.go and mgc.go.
 */

#include <stdbool.h>

bool words_of_runtime(const char *text);
