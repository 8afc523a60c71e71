/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Finds the source of Azure credentials: a client secret in the environment, workload identity (a
 * Kubernetes token), or the machine's managed identity. A setting that is not supported is an error
 * that names it. Every call reads again. Source: azure-identity, DefaultAzureCredential.
 */

#include <stddef.h>

#include "lib/store/identity/credroute.h"

/* 0, or a negative errno with a text. */
int credazure_find(struct credroute *ret, char *why, size_t why_size);
