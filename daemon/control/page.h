/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The status page. The build joins the files of page/ and puts the result into the program. The page's Content-Security-Policy allows the scripts and styles in the page itself, by
 * their hashes, and requests to the server that it came from, but no other script, style, frame or
 * address. So all code of the page must be in <script> and <style> elements without attributes;
 * onclick="…" and style="…" do not work.
 */

#include <stddef.h>

#include "base/buf.h"
#include "daemon/control/admin.h"

#define PAGE_POLICY_MAX 2048

/* Answers with the page. */
void page_reply(struct admin_call *call);

/* Appends the policy for a page to `policy`. 0, -ENOMEM, or -E2BIG if the buffer's maximum is too
 * small. */
int page_policy(const char *html, size_t n, struct buf *policy);
