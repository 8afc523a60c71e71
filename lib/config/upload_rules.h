/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The rules of the section upload, and which keys fit which kind of store. */

#include "lib/config/check_report.h"

/* 0 or -ENOMEM. */
int check_upload(struct check *k);

/*
 * Applies --upload.url=URL over the file; "": no upload. Keys of the file for another kind of store
 * are dropped. 0 or -ENOMEM.
 */
int config_set_upload_url(struct config *c, const char *url);
