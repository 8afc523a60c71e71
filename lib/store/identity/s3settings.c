/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/identity/s3settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/store/credential/partition.h"

/* Settings nested below "s3 =" in a profile. */
static int take_addressing(const struct awsprofile *a, struct s3settings *s, char *why,
                           size_t why_size)
{
    static const char *const names[] = {
        [UPLOAD_ADDRESSING_AUTO] = "auto",
        [UPLOAD_ADDRESSING_PATH] = "path",
        [UPLOAD_ADDRESSING_VIRTUAL] = "virtual",
    };
    const char *style = awsprofile_setting(a, AWS_S3_ADDRESSING);
    bool accelerate, dualstack;
    int r = awsprofile_flag(a, AWS_S3_ACCELERATE, &accelerate, why, why_size);

    if (r == 0)
        r = awsprofile_flag(a, AWS_S3_DUALSTACK, &dualstack, why, why_size);
    if (r < 0)
        return r;
    if (accelerate) {
        (void)snprintf(why, why_size,
                       "profile %s: use_accelerate_endpoint is not supported: remove it, or give "
                       "endpoint",
                       a->name);
        return -ENOTSUP;
    }
    s->wishes |= dualstack ? PARTITION_DUALSTACK : 0U;
    for (size_t i = 0; style && i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(style, names[i]) == 0) {
            s->addressing = (enum upload_addressing)i;
            return 0;
        }
    }
    if (style)
        (void)snprintf(why, why_size,
                       "profile %s: addressing_style is neither auto, path nor virtual", a->name);
    return style ? -EINVAL : 0;
}

static int take_ca(const struct awsprofile *a, struct s3settings *s, char *why, size_t why_size)
{
    const char *path = awsprofile_setting(a, AWS_CA_BUNDLE);
    char where[AWSPROFILE_WHERE_SIZE];

    if (!path || awsprofile_expand(path, s->ca_file) == 0)
        return 0;
    awsprofile_where(a, AWS_CA_BUNDLE, where);
    (void)snprintf(why, why_size, "%s is not a path", where);
    return -EINVAL;
}

static int read_all(const struct awsprofile *a, struct s3settings *s, char *why, size_t why_size)
{
    const char *region = awsprofile_setting(a, AWS_REGION);
    int r = awsprofile_endpoint(a, AWS_SERVICE_S3, s->endpoint, why, why_size);

    awsprofile_where(a, AWS_REGION, s->region_from);
    if (region && snprintf(s->region, sizeof(s->region), "%s", region) >= (int)sizeof(s->region)) {
        (void)snprintf(why, why_size, "%s is too long for a region", s->region_from);
        return -EINVAL;
    }
    if (r == 0)
        r = awsprofile_wishes(a, &s->wishes, why, why_size);
    if (r == 0)
        r = take_addressing(a, s, why, why_size);
    return r < 0 ? r : take_ca(a, s, why, why_size);
}

int s3settings_load(const struct upload_config *u, struct s3settings *ret, char *why,
                    size_t why_size)
{
    struct s3settings s = {.addressing = u->addressing};
    struct awsprofile a;
    int r = awsprofile_load(NULL, true, &a, why, why_size);

    if (r < 0)
        return r;
    r = read_all(&a, &s, why, why_size);
    awsprofile_done(&a);
    if (u->addressing != UPLOAD_ADDRESSING_AUTO)
        s.addressing = u->addressing;
    if (r == 0)
        *ret = s;
    return r;
}
