/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/identity/credaws.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/random.h"
#include "base/secretfile.h"
#include "lib/store/identity/credaws_state.h"
#include "lib/store/identity/credplan.h"

#define KEY_FILE_MAX (32u << 10)

/* Without surrounding blanks and line breaks. */
static int read_key(struct credaws *w, const char *path, struct buf *b, const char **ret)
{
    static const char blanks[] = " \t\r\n";
    char shown[SECRETFILE_SHOWN_SIZE];
    int r = path ? secretfile_read(b, path) : 0;

    *ret = NULL;
    if (!path)
        return 0;
    if (r < 0)
        return credaws_refuse(w, r, "cannot use the file %s: %s", secretfile_shown(path, r, shown),
                              secretfile_explain(r));
    if (memchr(buf_str(b), '\0', b->len))
        return credaws_refuse(w, -EINVAL, "cannot use the file %s: it has a zero byte", path);
    while (b->len > 0 && strchr(blanks, b->data[b->len - 1]))
        b->data[--b->len] = '\0';
    *ret = buf_str(b) + strspn(buf_str(b), blanks);
    return 0;
}

static int find_config(struct credaws *w)
{
    const struct credaws_config *c = w->config;
    const char *const paths[] = {c->access_key_file, c->secret_key_file, c->session_token_file};
    const char *values[3] = {0};
    struct buf texts[3];
    int r = 0;

    if (!paths[0] && !paths[1])
        return 0;
    if (!paths[0] || !paths[1])
        return credaws_refuse(w, -EINVAL, "the configuration names only one of the two key files");
    for (size_t i = 0; i < 3; i++)
        buf_init(&texts[i], KEY_FILE_MAX);
    for (size_t i = 0; i < 3 && r == 0; i++)
        r = read_key(w, paths[i], &texts[i], &values[i]);
    if (r == 0)
        r = credaws_make(w, values[0], values[1], values[2], USEC_NEVER, paths[1]);
    for (size_t i = 0; i < 3; i++)
        buf_wipe(&texts[i]);
    (void)snprintf(w->route->label, sizeof(w->route->label),
                   "the files named in the configuration (%.130s)", c->secret_key_file);
    w->route->from_files = true;
    return r;
}

static int find_role(struct credaws *w)
{
    return awsrole_find(w, w->profile);
}

static int find_keys(struct credaws *w)
{
    return awsrole_keys(w, w->profile, true);
}

/*
 * Refuses a setting of the profile that lacks another one, AWS_CREDENTIAL_FILE, and a profile that
 * the environment names but that has no keys: ignoring these could select another identity.
 */
static int find_leftovers(struct credaws *w)
{
    const struct awsprofile *a = w->profile;
    const char *missing, *key = awsrole_leftover(a, &missing);

    if (key)
        return credaws_refuse(w, -EINVAL, "profile %s has %s, but no %s", a->name, key, missing);
    if (credroute_env("AWS_CREDENTIAL_FILE"))
        return credaws_refuse(w, -EINVAL,
                              "AWS_CREDENTIAL_FILE is not supported: write a profile, or name the "
                              "files of the keys in the configuration");
    if (a->named && !a->found)
        return credaws_refuse(w, -EINVAL,
                              "AWS_PROFILE names the profile %s, which is in none of the shared "
                              "files",
                              a->name);
    if (a->named)
        return credaws_refuse(w, -EINVAL,
                              "AWS_PROFILE names a profile (%s) that has no keys in the shared "
                              "files, and says nothing of where there are some",
                              a->name);
    return 0;
}

/*
 * Keys in the environment take precedence over AWS_PROFILE, as in botocore, even if the profile has
 * a role. As that role may have been meant, the route has a remark then.
 */
static int find_environment(struct credaws *w)
{
    char ignored[CREDROUTE_WHY_SIZE];
    struct awsprofile a;
    int r = credaws_environment(w);

    if (r <= 0 || awsprofile_load(NULL, true, &a, ignored, sizeof(ignored)) < 0)
        return r;
    if (a.named && awsrole_is_meant(&a))
        (void)snprintf(w->route->remark, sizeof(w->route->remark),
                       "the role of profile %.60s, which the environment names, is not used: "
                       "AWS_ACCESS_KEY_ID goes before it; unset that, or AWS_PROFILE",
                       a.name);
    awsprofile_done(&a);
    return r;
}

/* In the order of botocore's create_credential_resolver. */
static const struct {
    const char *name;
    bool of_profile; /* needs the profile: before the first of these it is loaded */
    int (*find)(struct credaws *w);
} sources[] = {
    {"config", false, find_config}, {"environment", false, find_environment},
    {"role", true, find_role},      {"profile", true, find_keys},
    {"", true, find_leftovers},     {"container", true, credaws_container},
    {"imds", true, credaws_imds},
};

static int find(struct credaws *w, struct awsprofile *profile)
{
    int r = 0;

    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]) && r == 0; i++) {
        if (sources[i].of_profile && !w->profile) {
            r = awsprofile_load(NULL, false, profile, w->why, w->why_size);
            if (r < 0)
                return r;
            w->profile = profile;
        }
        w->route->source = sources[i].name;
        r = sources[i].find(w);
    }
    return r != 0 ? r
                  : credaws_refuse(
                        w, -ENOENT,
                        "no credentials are configured, and AWS_EC2_METADATA_DISABLED is set");
}

int credaws_find(const struct credaws_config *config, struct credroute *ret, char *why,
                 size_t why_size)
{
    struct awsprofile profile = {0};
    struct credroute route;
    struct credaws w = {.config = config, .route = &route, .why = why, .why_size = why_size};
    int r;

    credroute_init(&route);
    r = find(&w, &profile);
    awsprofile_done(&profile);
    if (r < 0)
        credroute_done(&route);
    else
        *ret = route;
    return r < 0 ? r : 0;
}

static uint64_t mix_file(uint64_t h, const char *path)
{
    struct stat st;

    if (!path || *path == '\0' || stat(path, &st) < 0)
        return random_mix(h ^ 1);
    h = random_mix(h ^ (uint64_t)st.st_dev);
    h = random_mix(h ^ (uint64_t)st.st_ino);
    h = random_mix(h ^ (uint64_t)st.st_size);
    h = random_mix(h ^ (uint64_t)st.st_mtim.tv_sec);
    h = random_mix(h ^ (uint64_t)st.st_mtim.tv_nsec);
    h = random_mix(h ^ (uint64_t)st.st_ctim.tv_sec);
    return random_mix(h ^ (uint64_t)st.st_ctim.tv_nsec);
}

uint64_t credaws_stamp(const struct credaws_config *c)
{
    char paths[2][PATH_MAX];

    if (c->access_key_file)
        return mix_file(mix_file(mix_file(1, c->access_key_file), c->secret_key_file),
                        c->session_token_file);
    awsprofile_paths(paths);
    return mix_file(mix_file(1, paths[0]), paths[1]);
}
