/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/dialect/dialect.h"

const char *dialect_method(enum dialect_verb verb)
{
    static const char *const methods[] = {
        [DIALECT_PUT] = "PUT",
        [DIALECT_HEAD] = "HEAD",
        [DIALECT_GET] = "GET",
        [DIALECT_LIST] = "GET",
    };

    return methods[verb];
}
