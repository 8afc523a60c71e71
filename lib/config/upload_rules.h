/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The rules of the section upload, and which keys fit which kind of store. */

#include "lib/config/check_report.h"

/* 0 or -ENOMEM. */
int check_upload(struct check *k);

/*
 * Lays --upload.url=URL over the file: "" means no upload. Keys of the file that were for another
 * kind of store than the new one give way. 0 or -ENOMEM.
 */
int config_set_upload_url(struct config *c, const char *url);
