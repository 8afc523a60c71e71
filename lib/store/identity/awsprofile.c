/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/identity/awsprofile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "lib/store/credential/partition.h"
#include "lib/store/identity/credplan.h"
#include "lib/store/identity/credroute.h"

enum { FILE_CREDENTIALS, FILE_CONFIG, FILES };

static const char *const file_variables[FILES] = {"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"};
static const char *const file_names[FILES] = {"~/.aws/credentials", "~/.aws/config"};

int awsprofile_expand(const char *path, char ret[PATH_MAX])
{
    const char *home = credroute_env("HOME");
    bool below_home = strncmp(path, "~/", 2) == 0;

    if (below_home && !home)
        return -ENOENT;
    if (snprintf(ret, PATH_MAX, "%s%s", below_home ? home : "", path + below_home) >= PATH_MAX)
        return -ENAMETOOLONG;
    return 0;
}

void awsprofile_paths(char ret[2][PATH_MAX])
{
    for (int i = 0; i < FILES; i++) {
        const char *path = credroute_env(file_variables[i]);

        if (awsprofile_expand(path ? path : file_names[i], ret[i]) < 0)
            ret[i][0] = '\0';
    }
}

/*
 * A file that does not exist or lacks the section adds nothing. The same holds for a default file
 * that cannot be reached, as HOME may be another user's.
 */
static bool says_nothing(int which, int error)
{
    return error == -ENOENT || error == -ENOTDIR ||
           (error == -EACCES && !credroute_env(file_variables[which]));
}

/* Merges what both files say; the file that is read first takes precedence. */
static void merge(struct credfile_profile *from, int file, struct awsprofile *a)
{
    for (int i = 0; i < CREDFILE_KEYS; i++) {
        if (a->p.values[i] || !from->values[i])
            continue;
        a->p.values[i] = steal(&from->values[i]);
        a->in_credentials[i] = file == FILE_CREDENTIALS;
    }
}

static int load_both(struct awsprofile *a, bool settings_only, char *why, size_t why_size)
{
    char paths[FILES][PATH_MAX];

    awsprofile_paths(paths);
    for (int i = 0; i < FILES; i++) {
        const struct credfile_query q = {
            .kind = i == FILE_CREDENTIALS ? CREDFILE_CREDENTIALS : CREDFILE_CONFIG,
            .name = a->name,
            .settings_only = settings_only,
        };
        struct credfile_profile p = {0};
        int r = paths[i][0] ? credfile_load(paths[i], &q, &p, why, why_size) : -ENOENT;

        if (r < 0 && !says_nothing(i, r))
            return r;
        why[0] = '\0';
        if (r < 0)
            continue;
        a->found = true;
        if (!a->p.secrets.access_key && p.secrets.access_key) {
            secret_move(&p.secrets, &a->p.secrets);
            a->from_file = i == FILE_CREDENTIALS;
            memcpy(a->path, paths[i], sizeof(a->path));
        }
        merge(&p, i, a);
        credfile_done(&p);
    }
    return 0;
}

/* Tools disagree about which of two variables counts, so both must name the same profile. */
static int choose_name(const char *name, struct awsprofile *a, char *why, size_t why_size)
{
    const char *first = credroute_env("AWS_PROFILE");
    const char *second = credroute_env("AWS_DEFAULT_PROFILE");

    a->named = !name && (first || second);
    if (!name && first && second && strcmp(first, second) != 0) {
        (void)snprintf(why, why_size,
                       "AWS_PROFILE and AWS_DEFAULT_PROFILE name different profiles: unset one");
        return -EINVAL;
    }
    if (!name)
        name = first ? first : second ? second : "default";
    if (snprintf(a->name, sizeof(a->name), "%s", name) < (int)sizeof(a->name))
        return 0;
    (void)snprintf(why, why_size, "the profile's name is longer than %zu bytes",
                   sizeof(a->name) - 1);
    return -EINVAL;
}

int awsprofile_load(const char *name, bool settings_only, struct awsprofile *ret, char *why,
                    size_t why_size)
{
    struct awsprofile a = {.p.secrets.expiry = USEC_NEVER};
    int r = choose_name(name, &a, why, why_size);

    if (r == 0)
        r = load_both(&a, settings_only, why, why_size);
    if (r < 0)
        awsprofile_done(&a);
    else
        *ret = a;
    return r;
}

int awsprofile_section(enum credfile_section section, const char *name,
                       struct credfile_profile *ret, char *why, size_t why_size)
{
    const struct credfile_query q = {.kind = CREDFILE_CONFIG, .section = section, .name = name};
    char paths[FILES][PATH_MAX];

    awsprofile_paths(paths);
    return credfile_load(paths[FILE_CONFIG], &q, ret, why, why_size);
}

void awsprofile_done(struct awsprofile *a)
{
    credfile_done(&a->p);
    a->found = false;
}

static const struct {
    const char *variables[2];
    int key; /* of the profile; -1: none */
} settings[] = {
    [AWS_REGION] = {{"AWS_REGION", "AWS_DEFAULT_REGION"}, CREDFILE_REGION},
    [AWS_CA_BUNDLE] = {{"AWS_CA_BUNDLE"}, CREDFILE_CA_BUNDLE},
    [AWS_USE_FIPS] = {{"AWS_USE_FIPS_ENDPOINT"}, CREDFILE_USE_FIPS},
    [AWS_USE_DUALSTACK] = {{"AWS_USE_DUALSTACK_ENDPOINT"}, CREDFILE_USE_DUALSTACK},
    [AWS_STS_REGIONAL] = {{"AWS_STS_REGIONAL_ENDPOINTS"}, CREDFILE_STS_REGIONAL},
    [AWS_IMDS_ENDPOINT] = {{"AWS_EC2_METADATA_SERVICE_ENDPOINT"}, CREDFILE_IMDS_ENDPOINT},
    [AWS_IMDS_MODE] = {{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"}, CREDFILE_IMDS_MODE},
    [AWS_IMDS_DISABLED] = {{"AWS_EC2_METADATA_DISABLED"}, -1},
    [AWS_IMDS_V6] = {{"AWS_IMDS_USE_IPV6"}, -1},
    [AWS_S3_ADDRESSING] = {{NULL}, CREDFILE_S3_ADDRESSING},
    [AWS_S3_ACCELERATE] = {{NULL}, CREDFILE_S3_ACCELERATE},
    [AWS_S3_DUALSTACK] = {{NULL}, CREDFILE_S3_DUALSTACK},
    [AWS_IGNORE_ENDPOINTS] = {{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"},
                              CREDFILE_IGNORE_ENDPOINT_URLS},
};

/* The name of the environment variable in which this setting is given; NULL: in none. */
static const char *variable_of(enum aws_setting s)
{
    for (size_t i = 0; i < 2 && settings[s].variables[i]; i++) {
        if (credroute_env(settings[s].variables[i]))
            return settings[s].variables[i];
    }
    return NULL;
}

const char *awsprofile_setting(const struct awsprofile *a, enum aws_setting s)
{
    const char *variable = variable_of(s);

    if (variable)
        return credroute_env(variable);
    return settings[s].key < 0 ? NULL : a->p.values[settings[s].key];
}

/* "endpoint_url (profile prod, /root/.aws/config)" */
static void name_key(const struct awsprofile *a, enum credfile_key key,
                     char out[static AWSPROFILE_WHERE_SIZE])
{
    char paths[FILES][PATH_MAX];

    awsprofile_paths(paths);
    (void)snprintf(out, AWSPROFILE_WHERE_SIZE, "%s (profile %.40s, %.150s)", credfile_key_name(key),
                   a->name, paths[a->in_credentials[key] ? FILE_CREDENTIALS : FILE_CONFIG]);
}

void awsprofile_where(const struct awsprofile *a, enum aws_setting s,
                      char out[static AWSPROFILE_WHERE_SIZE])
{
    const char *variable = variable_of(s);

    if (variable || settings[s].key < 0)
        (void)snprintf(out, AWSPROFILE_WHERE_SIZE, "%s",
                       variable ? variable : settings[s].variables[0]);
    else
        name_key(a, (enum credfile_key)settings[s].key, out);
}

int awsprofile_flag(const struct awsprofile *a, enum aws_setting s, bool *ret, char *why,
                    size_t why_size)
{
    const char *value = awsprofile_setting(a, s);
    char where[AWSPROFILE_WHERE_SIZE];

    if (value && strcasecmp(value, "true") != 0 && strcasecmp(value, "false") != 0) {
        awsprofile_where(a, s, where);
        (void)snprintf(why, why_size, "%s is neither true nor false", where);
        return -EINVAL;
    }
    *ret = value && strcasecmp(value, "true") == 0;
    return 0;
}

int awsprofile_wishes(const struct awsprofile *a, unsigned *ret, char *why, size_t why_size)
{
    bool fips, dualstack;
    int r = awsprofile_flag(a, AWS_USE_FIPS, &fips, why, why_size);

    if (r == 0)
        r = awsprofile_flag(a, AWS_USE_DUALSTACK, &dualstack, why, why_size);
    if (r == 0)
        *ret = (fips ? PARTITION_FIPS : 0U) | (dualstack ? PARTITION_DUALSTACK : 0U);
    return r;
}

static const struct {
    const char *name, *variable;
    enum credfile_key key;
} endpoints[] = {
    [AWS_SERVICE_S3] = {"S3", "AWS_ENDPOINT_URL_S3", CREDFILE_S3_ENDPOINT},
    [AWS_SERVICE_STS] = {"STS", "AWS_ENDPOINT_URL_STS", CREDFILE_STS_ENDPOINT},
    [AWS_SERVICE_SSO] = {"IAM Identity Center", "AWS_ENDPOINT_URL_SSO", CREDFILE_SSO_ENDPOINT},
};

/* http or https, without user and password, as messages quote it. */
int awsprofile_url(const char *url, const char *where, char ret[AWS_ENDPOINT_SIZE], char *why,
                   size_t why_size)
{
    size_t n = strlen(url);

    while (n > 0 && url[n - 1] == '/')
        n--;
    for (size_t i = 0; i < n; i++) {
        if (url[i] <= ' ' || url[i] > '~' || strchr("@?#\"\\", url[i]))
            n = 0;
    }
    if (n >= AWS_ENDPOINT_SIZE || n < 8 ||
        (strncasecmp(url, "https://", 8) != 0 && strncasecmp(url, "http://", 7) != 0)) {
        (void)snprintf(why, why_size, "%s is not an http or https URL", where);
        return -EINVAL;
    }
    (void)snprintf(ret, AWS_ENDPOINT_SIZE, "%.*s", (int)n, url);
    return 0;
}

/* Any endpoint but the store's receives secrets or returns keys. */
static int take_endpoint(enum aws_service service, const char *url, const char *where,
                         char ret[AWS_ENDPOINT_SIZE], char *why, size_t why_size)
{
    char what[AWSPROFILE_WHERE_SIZE + 80];
    int r = awsprofile_url(url, where, ret, why, why_size);

    if (r < 0 || service == AWS_SERVICE_S3)
        return r;
    (void)snprintf(what, sizeof(what), "%s, by which %s is asked,", where, endpoints[service].name);
    return credplan_secret_url(ret, false, what, why, why_size);
}

/* The endpoint in the section `services` that the profile names. */
static int service_endpoint(const struct awsprofile *a, enum aws_service service,
                            char ret[AWS_ENDPOINT_SIZE], char *why, size_t why_size)
{
    const char *name = a->p.values[CREDFILE_SERVICES_NAME];
    struct credfile_profile section = {0};
    char where[AWSPROFILE_WHERE_SIZE];
    const char *url;
    int r;

    if (!name)
        return 0;
    r = awsprofile_section(CREDFILE_SERVICES, name, &section, why, why_size);
    if (r < 0)
        return r;
    url = section.values[endpoints[service].key];
    (void)snprintf(where, sizeof(where), "endpoint_url of the section services %.60s", name);
    if (url)
        r = take_endpoint(service, url, where, ret, why, why_size);
    credfile_done(&section);
    return r;
}

int awsprofile_endpoint(const struct awsprofile *a, enum aws_service service,
                        char ret[AWS_ENDPOINT_SIZE], char *why, size_t why_size)
{
    const char *own = credroute_env(endpoints[service].variable);
    const char *all = credroute_env("AWS_ENDPOINT_URL");
    char where[AWSPROFILE_WHERE_SIZE];
    bool ignored;
    int r = awsprofile_flag(a, AWS_IGNORE_ENDPOINTS, &ignored, why, why_size);

    ret[0] = '\0';
    if (r < 0 || ignored)
        return r;
    if (own)
        return take_endpoint(service, own, endpoints[service].variable, ret, why, why_size);
    if (all)
        return take_endpoint(service, all, "AWS_ENDPOINT_URL", ret, why, why_size);
    r = service_endpoint(a, service, ret, why, why_size);
    if (r < 0 || ret[0] != '\0' || !a->p.values[CREDFILE_ENDPOINT_URL])
        return r;
    name_key(a, CREDFILE_ENDPOINT_URL, where);
    return take_endpoint(service, a->p.values[CREDFILE_ENDPOINT_URL], where, ret, why, why_size);
}
