/* SPDX-License-Identifier: Apache-2.0 */
/* file_sd files, the first byte choosing between JSON and YAML: all targets or an error, never
 * both. */

#include "lib/config/filesd.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target_list list = {0};
    struct diags d = {0};
    const char *name;
    int r;

    if (size == 0)
        return 0;
    name = data[0] == '[' ? "f.json" : "f.yml";
    r = filesd_load_text(name, (const char *)data, size, &list, &d);
    if ((r < 0) != (diags_count(&d) > 0) || (r < 0 && list.items))
        abort();
    for (size_t i = 0; i < list.n; i++) {
        const struct target_config *t = &list.items[i];

        if (!t->address || !t->parsed.host == !t->parsed.unix_path)
            abort();
    }
    diags_done(&d);
    target_list_done(&list);
    return 0;
}
