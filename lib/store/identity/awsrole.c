/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Where a profile gets its keys: a role and the keys to assume it with, a token file, IAM Identity
 * Center, keys, a program. In botocore's order and by its rules.
 */

#include <errno.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/parse.h"
#include "lib/store/credential/partition.h"
#include "lib/store/identity/credaws_state.h"
#include "lib/store/identity/credplan.h"

#define DURATION_MIN 900
#define DURATION_MAX 43200

static const char *get(const struct awsprofile *a, enum credfile_key key)
{
    return a->p.values[key];
}

static const char *region_of(const struct credaws *w)
{
    const char *region = w->config->region && *w->config->region
                           ? w->config->region
                           : awsprofile_setting(w->profile, AWS_REGION);

    return region ? region : "us-east-1";
}

/* The URL of one of AWS's services, and the region to sign for. */
static int aim(struct credaws *w, struct credstep *s, enum aws_service service, const char *region)
{
    const char *name = service == AWS_SERVICE_STS ? "sts" : "portal.sso";
    char host[PARTITION_HOST_SIZE];
    unsigned wishes;
    char endpoint[AWS_ENDPOINT_SIZE], url[CREDPLAN_URL_SIZE];
    const char *way = awsprofile_setting(w->profile, AWS_STS_REGIONAL);
    char where[AWSPROFILE_WHERE_SIZE];
    int r = awsprofile_endpoint(w->profile, service, endpoint, w->why, w->why_size);

    if (r == 0)
        r = awsprofile_wishes(w->profile, &wishes, w->why, w->why_size);
    if (r < 0)
        return r;
    awsprofile_where(w->profile, AWS_STS_REGIONAL, where);
    if (way && strcmp(way, "legacy") != 0 && strcmp(way, "regional") != 0)
        return credaws_refuse(w, -EINVAL, "%s is neither regional nor legacy", where);
    if (endpoint[0] != '\0') {
        (void)snprintf(url, sizeof(url), "%s/", endpoint);
        s->peer = REACH_NAMED;
    } else if (partition_host(name, region, wishes, host) < 0) {
        return credaws_refuse(w, -EINVAL, "%s cannot be asked: the region is not a name of AWS's",
                              service == AWS_SERVICE_STS ? "STS" : "IAM Identity Center");
    } else if (service == AWS_SERVICE_STS && way && strcmp(way, "legacy") == 0 && wishes == 0 &&
               credplan_sts_is_global(region)) {
        (void)snprintf(url, sizeof(url), "https://sts.amazonaws.com/");
        region = "us-east-1";
    } else {
        (void)snprintf(url, sizeof(url), "https://%s/", host);
    }
    if (credstep_set(s, CREDSTEP_URL, url) < 0 || credstep_set(s, CREDSTEP_REGION, region) < 0)
        return credaws_no_memory(w);
    return 0;
}

/* Sets the route's label, which says for people where the keys come from. */
static void __attribute__((format(printf, 2, 3))) label(struct credaws *w, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(w->route->label, sizeof(w->route->label), fmt, ap);
    va_end(ap);
}

static const char *first_of(const char *a, const char *b)
{
    return a ? a : b;
}

/* Keys of a role by a token file, which the environment (if it counts) or the profile names. */
static int find_web_identity(struct credaws *w, struct awsprofile *a, bool env)
{
    const char *env_file = env ? credroute_env("AWS_WEB_IDENTITY_TOKEN_FILE") : NULL;
    const char *env_role = env ? credroute_env("AWS_ROLE_ARN") : NULL;
    const char *env_session = env ? credroute_env("AWS_ROLE_SESSION_NAME") : NULL;
    const char *file = first_of(env_file, get(a, CREDFILE_WEB_IDENTITY_TOKEN_FILE));
    const char *role = first_of(env_role, get(a, CREDFILE_ROLE_ARN));
    const char *session = first_of(env_session, get(a, CREDFILE_ROLE_SESSION_NAME));
    const char *origin = env_file ? "AWS_WEB_IDENTITY_TOKEN_FILE" : "web_identity_token_file";
    char path[PATH_MAX];
    struct credstep *s;
    int r;

    if (!file)
        return 0;
    if (!role)
        return credaws_refuse(w, -EINVAL, "%s is set without %s", origin,
                              env_file ? "AWS_ROLE_ARN" : "role_arn");
    if (awsprofile_expand(file, path) < 0)
        return credaws_refuse(w, -EINVAL, "%s is not a path", origin);
    w->route->source = "web-identity";
    label(w, "web identity (role %.90s, region %.40s)", role, region_of(w));
    s = credroute_add(w->route, CREDSERVICE_WEB_IDENTITY, REACH_PUBLIC);
    if (!s || credstep_set(s, CREDSTEP_FILE, path) < 0 ||
        credstep_set(s, CREDSTEP_ORIGIN, origin) < 0 || credstep_set(s, CREDSTEP_ROLE, role) < 0 ||
        credstep_set(s, CREDSTEP_SESSION, session) < 0)
        return credaws_no_memory(w);
    r = aim(w, s, AWS_SERVICE_STS, region_of(w));
    return r < 0 ? r : 1;
}

static const enum credfile_key sso_keys[] = {
    CREDFILE_SSO_ACCOUNT_ID,
    CREDFILE_SSO_ROLE_NAME,
    CREDFILE_SSO_START_URL,
    CREDFILE_SSO_REGION,
};

/* Adds settings of the section sso-session that the profile lacks; the two must not differ. */
static int join_session(struct credaws *w, struct awsprofile *a)
{
    const char *name = get(a, CREDFILE_SSO_SESSION_NAME);
    struct credfile_profile session = {0};
    int r =
        name ? awsprofile_section(CREDFILE_SSO_SESSION, name, &session, w->why, w->why_size) : 0;

    if (r < 0)
        return r;
    for (size_t i = 0; i < sizeof(sso_keys) / sizeof(sso_keys[0]) && r == 0; i++) {
        char **theirs = &session.values[sso_keys[i]], **ours = &a->p.values[sso_keys[i]];

        if (*theirs && *ours && strcmp(*theirs, *ours) != 0)
            r = credaws_refuse(w, -EINVAL, "profile %s and sso-session %s have different %s",
                               a->name, name, credfile_key_name(sso_keys[i]));
        else if (*theirs && !*ours)
            *ours = steal(theirs);
    }
    credfile_done(&session);
    return r;
}

/* The cache file has the name that AWS's tools give it: the SHA-1 of the session's name, or of the
 * start URL. */
static int cache_path(const char *name, char path[PATH_MAX])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE + 1], text[160];
    unsigned n = 0;

    if (EVP_Digest(name, strlen(name), hash, &n, EVP_sha1(), NULL) != 1)
        return -ENOTSUP;
    hex_encode(hash, n, hex);
    (void)snprintf(text, sizeof(text), "~/.aws/sso/cache/%.60s.json", hex);
    return awsprofile_expand(text, path);
}

static int add_sso(struct credaws *w, struct awsprofile *a)
{
    const char *name = first_of(get(a, CREDFILE_SSO_SESSION_NAME), get(a, CREDFILE_SSO_START_URL));
    struct credstep *s = credroute_add(w->route, CREDSERVICE_SSO, REACH_PUBLIC);
    char path[PATH_MAX];
    int r = cache_path(name, path);

    if (r < 0)
        return credaws_refuse(w, r, "the tokens of IAM Identity Center cannot be found: %s",
                              r == -ENOENT ? "HOME is not set" : strerror(-r));
    if (!s || credstep_set(s, CREDSTEP_FILE, path) < 0 ||
        credstep_set(s, CREDSTEP_ROLE, get(a, CREDFILE_SSO_ROLE_NAME)) < 0 ||
        credstep_set(s, CREDSTEP_ACCOUNT, get(a, CREDFILE_SSO_ACCOUNT_ID)) < 0)
        return credaws_no_memory(w);
    w->route->source = "sso";
    label(w, "IAM Identity Center (account %.20s, role %.60s, profile %.40s)",
          get(a, CREDFILE_SSO_ACCOUNT_ID), get(a, CREDFILE_SSO_ROLE_NAME), a->name);
    r = aim(w, s, AWS_SERVICE_SSO, get(a, CREDFILE_SSO_REGION));
    return r < 0 ? r : 1;
}

static int find_sso(struct credaws *w, struct awsprofile *a)
{
    int r;

    if (!get(a, CREDFILE_SSO_ACCOUNT_ID) && !get(a, CREDFILE_SSO_ROLE_NAME))
        return 0;
    r = join_session(w, a);
    if (r < 0)
        return r;
    for (size_t i = 0; i < sizeof(sso_keys) / sizeof(sso_keys[0]); i++) {
        if (!get(a, sso_keys[i]))
            return credaws_refuse(w, -EINVAL,
                                  "profile %s is for IAM Identity Center, but has no %s", a->name,
                                  credfile_key_name(sso_keys[i]));
    }
    return add_sso(w, a);
}

static int find_static(struct credaws *w, struct awsprofile *a, bool credentials_file)
{
    if (!a->p.secrets.access_key || a->from_file != credentials_file)
        return 0;
    w->route->source = "shared";
    label(w, "the shared file %.100s (profile %.40s)", a->path, a->name);
    secret_move(&a->p.secrets, &w->route->secrets);
    return 1;
}

static int find_process(struct credaws *w, struct awsprofile *a)
{
    const char *command = get(a, CREDFILE_CREDENTIAL_PROCESS);
    struct credstep *s;

    if (!command)
        return 0;
    w->route->source = "process";
    label(w, "the credential_process of profile %.40s", a->name);
    s = credroute_add(w->route, CREDSERVICE_PROCESS, REACH_PUBLIC);
    return s && credstep_set(s, CREDSTEP_COMMAND, command) == 0 ? 1 : credaws_no_memory(w);
}

static int find_login(struct credaws *w, struct awsprofile *a)
{
    return get(a, CREDFILE_LOGIN_SESSION)
             ? credaws_refuse(w, -ENOTSUP,
                              "profile %s has login_session, which is not supported: use IAM "
                              "Identity Center or a role",
                              a->name)
             : 0;
}

int awsrole_keys(struct credaws *w, struct awsprofile *a, bool env)
{
    int r = find_web_identity(w, a, env);

    w->route->from_files = true;
    if (r == 0)
        r = find_sso(w, a);
    if (r == 0)
        r = find_static(w, a, true);
    if (r == 0)
        r = find_login(w, a);
    if (r == 0)
        r = find_process(w, a);
    if (r == 0)
        r = find_static(w, a, false);
    if (r == 0)
        w->route->from_files = false;
    return r;
}

const char *awsrole_leftover(const struct awsprofile *a, const char **ret_missing)
{
    static const struct {
        enum credfile_key key;
        const char *missing;
    } halves[] = {
        {CREDFILE_ROLE_ARN, "source_profile, credential_source or web_identity_token_file"},
        {CREDFILE_SOURCE_PROFILE, "role_arn"},
        {CREDFILE_CREDENTIAL_SOURCE, "role_arn"},
        {CREDFILE_SSO_SESSION_NAME, "sso_account_id and sso_role_name"},
        {CREDFILE_SSO_START_URL, "sso_account_id and sso_role_name"},
    };

    for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++) {
        if (!get(a, halves[i].key))
            continue;
        *ret_missing = halves[i].missing;
        return credfile_key_name(halves[i].key);
    }
    return NULL;
}

bool awsrole_is_meant(const struct awsprofile *a)
{
    return get(a, CREDFILE_ROLE_ARN) || get(a, CREDFILE_SSO_ROLE_NAME);
}

/* A role that is assumed with keys, not with a token file. */
static bool is_role(const struct awsprofile *a)
{
    return get(a, CREDFILE_ROLE_ARN) && !get(a, CREDFILE_WEB_IDENTITY_TOKEN_FILE);
}

static int find_named_source(struct credaws *w, const struct awsprofile *a)
{
    static const struct {
        const char *name, *missing;
        int (*find)(struct credaws *w);
    } sources[] = {
        {"EcsContainer", "no AWS_CONTAINER_CREDENTIALS_ variable is set", credaws_container},
        {"Ec2InstanceMetadata", "AWS_EC2_METADATA_DISABLED is set", credaws_imds},
    };
    const char *name = get(a, CREDFILE_CREDENTIAL_SOURCE);

    /* Keys in the environment would have been used before any profile. */
    if (strcmp(name, "Environment") == 0)
        return credaws_refuse(w, -EINVAL,
                              "profile %s has credential_source Environment, which cannot take "
                              "effect: keys of the environment go before every role. Put the keys "
                              "into a profile of their own, and name that as source_profile",
                              a->name);
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        int r;

        if (strcmp(name, sources[i].name) != 0)
            continue;
        r = sources[i].find(w);
        return r == 0 ? credaws_refuse(w, -ENOENT, "profile %s has credential_source %s, but %s",
                                       a->name, name, sources[i].missing)
                      : r;
    }
    return credaws_refuse(w, -EINVAL,
                          "profile %s: credential_source must be EcsContainer or "
                          "Ec2InstanceMetadata",
                          a->name);
}

static bool was_visited(const struct credaws *w, const char *name)
{
    for (size_t i = 0; i < w->n_visited; i++) {
        if (strcmp(w->visited[i], name) == 0)
            return true;
    }
    return false;
}

/* A profile may name itself as the source of keys; any other circle is an error. */
static int take_source(struct credaws *w, const struct awsprofile *a, struct awsprofile *source)
{
    bool keys = source->p.secrets.access_key != NULL;
    int r;

    if (!source->found)
        return credaws_refuse(w, -EINVAL, "profile %s: its source_profile %s does not exist",
                              a->name, source->name);
    if (was_visited(w, source->name) && (!keys || strcmp(source->name, a->name) != 0))
        return credaws_refuse(w, -ELOOP, "profile %s: its source_profile %s leads back to itself",
                              a->name, source->name);
    if (keys || !is_role(source))
        r = awsrole_keys(w, source, false);
    else
        r = awsrole_find(w, source);
    return r == 0 ? credaws_refuse(w, -EINVAL, "profile %s: its source_profile %s has no keys",
                                   a->name, source->name)
                  : r;
}

static int find_source(struct credaws *w, const struct awsprofile *a)
{
    const char *name = get(a, CREDFILE_SOURCE_PROFILE);
    bool named = get(a, CREDFILE_CREDENTIAL_SOURCE);
    struct awsprofile source;
    int r;

    if (name && named)
        return credaws_refuse(w, -EINVAL,
                              "profile %s has both source_profile and credential_source", a->name);
    if (!name && !named)
        return credaws_refuse(w, -EINVAL,
                              "profile %s has role_arn without source_profile, credential_source "
                              "or web_identity_token_file",
                              a->name);
    if (named)
        return find_named_source(w, a);
    r = awsprofile_load(name, false, &source, w->why, w->why_size);
    if (r < 0)
        return r;
    r = take_source(w, a, &source);
    awsprofile_done(&source);
    return r;
}

/* Refuses settings of a role that are invalid or not supported. */
static int check_role(const struct credaws *w, const struct awsprofile *a)
{
    const char *duration = get(a, CREDFILE_DURATION_SECONDS);
    const char *session = get(a, CREDFILE_ROLE_SESSION_NAME);
    uint64_t seconds;

    if (get(a, CREDFILE_MFA_SERIAL))
        return credaws_refuse(w, -ENOTSUP,
                              "profile %s has mfa_serial: nobody is there to type a code; use a "
                              "role that asks for none",
                              a->name);
    if (w->n_visited == CREDAWS_CHAIN_MAX)
        return credaws_refuse(w, -ELOOP, "profile %s: more than %d profiles in a row", a->name,
                              CREDAWS_CHAIN_MAX);
    if (!credplan_is_role(get(a, CREDFILE_ROLE_ARN)))
        return credaws_refuse(w, -EINVAL, "profile %s: role_arn is not the name of a role",
                              a->name);
    if (session && !credplan_is_session(session))
        return credaws_refuse(w, -EINVAL,
                              "profile %s: role_session_name has 2 to 64 letters, digits or "
                              "_+=,.@-",
                              a->name);
    if (duration &&
        (parse_unsigned(duration, DURATION_MAX, &seconds) < 0 || seconds < DURATION_MIN))
        return credaws_refuse(w, -EINVAL,
                              "profile %s: duration_seconds is not a number from %d to %d", a->name,
                              DURATION_MIN, DURATION_MAX);
    return 0;
}

int awsrole_find(struct credaws *w, const struct awsprofile *a)
{
    const char *role = get(a, CREDFILE_ROLE_ARN);
    char before[CREDROUTE_LABEL_SIZE];
    struct credstep *s;
    int r = is_role(a) ? check_role(w, a) : 0;

    if (!is_role(a) || r < 0)
        return r;
    w->visited[w->n_visited++] = a->name;
    r = find_source(w, a);
    if (r < 0)
        return r;
    w->route->source = "role";
    w->route->from_files = true;
    memcpy(before, w->route->label, sizeof(before));
    label(w, "the role %.90s (profile %.40s), assumed by %.150s", role, a->name, before);
    s = credroute_add(w->route, CREDSERVICE_ROLE, REACH_PUBLIC);
    if (!s || credstep_set(s, CREDSTEP_ROLE, role) < 0 ||
        credstep_set(s, CREDSTEP_SESSION, get(a, CREDFILE_ROLE_SESSION_NAME)) < 0 ||
        credstep_set(s, CREDSTEP_EXTERNAL_ID, get(a, CREDFILE_EXTERNAL_ID)) < 0 ||
        credstep_set(s, CREDSTEP_DURATION, get(a, CREDFILE_DURATION_SECONDS)) < 0)
        return credaws_no_memory(w);
    r = aim(w, s, AWS_SERVICE_STS, region_of(w));
    return r < 0 ? r : 1;
}
