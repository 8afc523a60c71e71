/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a trace's summary may contain, without any trace: docs/summary.schema.json, which is part of
 * the programs. Rules are checked against it before there is anything to judge.
 */

#include <jansson.h>

#define SHAPE_DEPTH_MAX 32

/*
 * Makes a document that has all members of a summary: lists with one item, 0 for a number, "" for a
 * text, null for what is named by what happened (events.by_kind). 0; or -ENOMEM, or -EBADMSG if the
 * schema cannot be read.
 */
int shape_example(json_t **ret);
