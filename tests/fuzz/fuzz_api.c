/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies that the API takes: what is accepted is within its bounds, and what is refused is said
 * in plain characters. */
#include <string.h>

#include "daemon/api/alerts.h"
#include "daemon/api/apirequest.h"
#include "tests/fuzz/fuzz.h"

static void check_plain(const char *text, size_t most)
{
    CHECK(text[0] != '\0' && strlen(text) <= most);
    for (; *text; text++)
        CHECK(*text >= 0x20 && *text <= 0x7e);
}

static void check_capture(const char *body, size_t n)
{
    char why[APIREQUEST_WHY_SIZE] = "";
    struct capture_request r;

    if (capture_request_parse(body, n, &r, why) < 0) {
        check_plain(why, sizeof(why) - 1);
        return;
    }
    CHECK((r.scope == CAPTURE_ALL) == (r.name == NULL));
    CHECK(r.window == 0 ||
          (r.window >= APIREQUEST_WINDOW_MIN && r.window <= APIREQUEST_WINDOW_MAX));
    if (r.reason)
        check_plain(r.reason, APIREQUEST_TEXT_MAX);
    capture_request_done(&r);
}

static void check_suspend(const char *body, size_t n)
{
    char why[APIREQUEST_WHY_SIZE] = "", *reason = NULL;

    if (suspend_request_parse(body, n, &reason, why) < 0)
        check_plain(why, sizeof(why) - 1);
    else if (reason)
        check_plain(reason, APIREQUEST_TEXT_MAX);
    free(reason);
    if (empty_request_parse(body, n, why) < 0)
        check_plain(why, sizeof(why) - 1);
}

static void check_alerts(const char *body, size_t n)
{
    char why[APIREQUEST_WHY_SIZE] = "";
    struct alerts a;

    if (alerts_parse(body, n, true, &a, why) == 0)
        alerts_done(&a);
    if (alerts_parse(body, n, false, &a, why) < 0) {
        check_plain(why, sizeof(why) - 1);
        return;
    }
    CHECK(a.n <= ALERTS_MAX);
    for (size_t i = 0; i < a.n; i++) {
        check_plain(a.items[i].reason, ALERTS_REASON_SIZE - 1);
        CHECK(strncmp(a.items[i].reason, "alert:", 6) == 0 && !strchr(a.items[i].reason, ' '));
    }
    alerts_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_capture((const char *)data, size);
    check_suspend((const char *)data, size);
    check_alerts((const char *)data, size);
    return 0;
}
