/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/page.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

/* clang-format off */
__asm__(".section .rodata\n"
        ".balign 16\n"
        "contrace_page_begin:\n"
        ".incbin \"" CONTRACE_PAGE "\"\n"
        "contrace_page_end:\n"
        ".byte 0\n"
        ".previous\n");
/* clang-format on */

extern const char page_begin[] __asm__("contrace_page_begin");
extern const char page_end[] __asm__("contrace_page_end");

#define HASH_TEXT_SIZE 45 /* base64 of 32 bytes, and a terminating zero */

static const char *find(const char *from, const char *end, const char *text)
{
    return memmem(from, (size_t)(end - from), text, strlen(text));
}

/* Appends " 'sha256-…'", the hash of the text between the tags, for each pair of tags. */
static int add_hashes(struct buf *policy, const char *p, const char *end, const char *open,
                      const char *close)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char text[HASH_TEXT_SIZE];
    const char *last;
    int r = 0;

    while (r == 0 && (p = find(p, end, open))) {
        p += strlen(open);
        last = find(p, end, close);
        if (!last)
            break;
        if (!SHA256((const unsigned char *)p, (size_t)(last - p), digest))
            return -ENOMEM;
        (void)EVP_EncodeBlock((unsigned char *)text, digest, sizeof(digest));
        r = buf_addf(policy, " 'sha256-%s'", text);
        p = last;
    }
    return r;
}

int page_policy(const char *html, size_t n, struct buf *policy)
{
    const char *end = html + n;
    int r = buf_adds(policy, "default-src 'none'; script-src");

    if (r == 0)
        r = add_hashes(policy, html, end, "<script>", "</script>");
    if (r == 0)
        r = buf_adds(policy, "; style-src");
    if (r == 0)
        r = add_hashes(policy, html, end, "<style>", "</style>");
    if (r == 0)
        r = buf_adds(policy, "; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
                             "form-action 'none'; frame-ancestors 'none'");
    return r;
}

void page_reply(struct admin_call *call)
{
    size_t n = (size_t)(page_end - page_begin);
    struct buf policy;

    buf_init(&policy, PAGE_POLICY_MAX);
    if (page_policy(page_begin, n, &policy) < 0) {
        admin_no_memory(call);
    } else {
        admin_call_header(call, "Content-Security-Policy", buf_str(&policy));
        admin_reply(call, 200, "text/html; charset=utf-8", page_begin, n);
    }
    buf_done(&policy);
}
