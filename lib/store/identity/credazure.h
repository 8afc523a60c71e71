/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * As whom Azure's SDKs would ask here: a client's secret in the environment, workload identity
 * (a token of Kubernetes), or the machine's managed identity. What is set and not supported is
 * refused by its name. Every call looks anew.
 *
 * Source: azure-identity, DefaultAzureCredential.
 */

#include <stddef.h>

#include "lib/store/identity/credroute.h"

/* 0, or a negative errno with a text. */
int credazure_find(struct credroute *ret, char *why, size_t why_size);
