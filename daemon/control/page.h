/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The status page: page.html with page.css and page.js in it, which the build joins. It is built
 * into the program. Its Content-Security-Policy allows the scripts and styles that stand in the
 * page itself, by their hashes, and requests to where it came from; no other script, style, frame
 * or address. So the page has its code in <script> and <style> elements without attributes, and
 * neither onclick="…" nor style="…".
 */

#include <stddef.h>

#include "base/buf.h"
#include "daemon/control/admin.h"

#define PAGE_POLICY_MAX 2048

/* Answers with the page. */
void page_reply(struct admin_call *call);

/* Appends the policy for a page. 0, -ENOMEM, or -E2BIG over the buffer's maximum. */
int page_policy(const char *html, size_t n, struct buf *policy);
