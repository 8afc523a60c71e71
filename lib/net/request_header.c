/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "lib/net/request.h"

int request_add_header(struct http_request *r, const char *line)
{
    struct curl_slist *list = curl_slist_append(r->headers, line);

    if (!list)
        return -ENOMEM;
    r->headers = list;
    return 0;
}
