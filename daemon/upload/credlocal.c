/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/upload/credlocal.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/secretfile.h"

#define KEY_FILE_MAX (32u << 10)

const char *credlocal_env(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static int refuse(int error, char *why, size_t why_size, const char *what)
{
    (void)snprintf(why, why_size, "%s", what);
    return error;
}

static int make(const char *access, const char *secret, const char *token, struct secret_set *ret,
                const char *where, char *why, size_t why_size)
{
    int r = secret_make(access, secret, token, USEC_NEVER, ret);

    if (r == -ENOMEM)
        return refuse(r, why, why_size, strerror(ENOMEM));
    if (r < 0)
        (void)snprintf(why, why_size,
                       "%s: a key or the token is empty, too long, or has blanks or "
                       "characters that no key has",
                       where);
    return r;
}

/* Without the blanks and line breaks around it. */
static int read_key(const char *path, struct buf *b, const char **ret, char *why, size_t why_size)
{
    static const char blanks[] = " \t\r\n";
    int r;

    buf_init(b, KEY_FILE_MAX);
    *ret = NULL;
    if (!path)
        return 0;
    r = secretfile_read(b, path);
    if (r < 0) {
        (void)snprintf(why, why_size, "cannot use the file %s: %s", path, secretfile_explain(r));
        return r;
    }
    if (memchr(buf_str(b), '\0', b->len)) {
        (void)snprintf(why, why_size, "cannot use the file %s: it has a zero byte", path);
        return -EINVAL;
    }
    while (b->len > 0 && strchr(blanks, b->data[b->len - 1]))
        b->data[--b->len] = '\0';
    *ret = buf_str(b) + strspn(buf_str(b), blanks);
    return 0;
}

static int read_config(const struct credlocal_config *c, struct credlocal *l, char *why,
                       size_t why_size)
{
    const char *const paths[] = {c->access_key_file, c->secret_key_file, c->session_token_file};
    const char *values[3] = {0};
    struct buf texts[3];
    int r = 0;

    for (size_t i = 0; i < 3; i++)
        buf_init(&texts[i], KEY_FILE_MAX);
    for (size_t i = 0; i < 3 && r == 0; i++)
        r = read_key(paths[i], &texts[i], &values[i], why, why_size);
    if (r == 0)
        r = make(values[0], values[1], values[2], &l->secrets, paths[1], why, why_size);
    for (size_t i = 0; i < 3; i++)
        buf_wipe(&texts[i]);
    (void)snprintf(l->label, sizeof(l->label), "the files named in the configuration (%.130s)",
                   c->secret_key_file);
    return r;
}

struct shared {
    const char *profile;
    char path[2][PATH_MAX];    /* credentials, config; "" for none */
    bool named[2];             /* by a variable */
    struct credfile_profile p; /* what both say together */
    int from;                  /* the file that the keys are from */
};

static const char *const shared_variables[] = {"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"};
static const char *const shared_names[] = {"/.aws/credentials", "/.aws/config"};

static void shared_paths(struct shared *s)
{
    const char *home = credlocal_env("HOME"), *profile = credlocal_env("AWS_PROFILE");

    *s = (struct shared){.profile = profile ? profile : "default"};
    for (size_t i = 0; i < 2; i++) {
        const char *path = credlocal_env(shared_variables[i]);
        bool below_home = !path || strncmp(path, "~/", 2) == 0;

        s->named[i] = path != NULL;
        if (below_home && !home)
            continue;
        (void)snprintf(s->path[i], sizeof(s->path[i]), "%s%s", below_home ? home : "",
                       !path        ? shared_names[i]
                       : below_home ? path + 1
                                    : path);
    }
}

/*
 * A file that is not there, or has no such profile, says nothing. Neither does one that nobody
 * named and that cannot be reached: HOME may be another's.
 */
static bool says_nothing(const struct shared *s, int which, int error)
{
    return error == -ENOENT || error == -ENOTDIR || (error == -EACCES && !s->named[which]);
}

/* The keys of the credentials file go before those of the config file. */
static int read_shared(struct shared *s, char *why, size_t why_size)
{
    for (int i = 0; i < 2; i++) {
        struct credfile_profile p = {0};
        int r = -ENOENT;

        if (s->path[i][0] != '\0')
            r = credfile_load(s->path[i], i == 0 ? CREDFILE_CREDENTIALS : CREDFILE_CONFIG,
                              s->profile, &p, why, why_size);
        if (r < 0 && says_nothing(s, i, r)) {
            why[0] = '\0';
            continue;
        }
        if (r < 0)
            return r;
        if (!s->p.secrets.access_key && p.secrets.access_key) {
            secret_move(&p.secrets, &s->p.secrets);
            s->from = i;
        }
        if (s->p.region[0] == '\0')
            memcpy(s->p.region, p.region, sizeof(s->p.region));
        credfile_done(&p);
    }
    return 0;
}

static void find_facts(const struct credlocal_config *c, struct credplan_facts *f)
{
    const char *off = credlocal_env("AWS_EC2_METADATA_DISABLED");

    *f = (struct credplan_facts){
        .config_access_key = c->access_key_file,
        .config_secret_key = c->secret_key_file,
        .env_access_key = credlocal_env("AWS_ACCESS_KEY_ID"),
        .env_secret_key = credlocal_env("AWS_SECRET_ACCESS_KEY"),
        .env_token_file = credlocal_env("AWS_WEB_IDENTITY_TOKEN_FILE"),
        .env_role_arn = credlocal_env("AWS_ROLE_ARN"),
        .env_profile = credlocal_env("AWS_PROFILE"),
        .relative_uri = credlocal_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
        .full_uri = credlocal_env("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        .imds_disabled = off && strcasecmp(off, "true") == 0,
    };
}

static void choose_region(const struct credlocal_config *c, const struct shared *s,
                          struct credlocal *l)
{
    const char *region = c->region && *c->region ? c->region : credlocal_env("AWS_REGION");

    if (!region)
        region = credlocal_env("AWS_DEFAULT_REGION");
    if (!region)
        region = s->p.region[0] != '\0' ? s->p.region : "us-east-1";
    (void)snprintf(l->region, sizeof(l->region), "%s", region);
}

static int take(const struct credlocal_config *c, struct shared *s, struct credlocal *l, char *why,
                size_t why_size)
{
    switch (l->source) {
    case CREDPLAN_CONFIG: return read_config(c, l, why, why_size);
    case CREDPLAN_ENVIRONMENT:
        (void)snprintf(l->label, sizeof(l->label), "the environment (AWS_ACCESS_KEY_ID)");
        return make(getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"),
                    credlocal_env("AWS_SESSION_TOKEN"), &l->secrets, "the environment", why,
                    why_size);
    case CREDPLAN_SHARED:
        (void)snprintf(l->label, sizeof(l->label), "the shared file %.100s (profile %.40s)",
                       s->path[s->from], s->profile);
        secret_move(&s->p.secrets, &l->secrets);
        return 0;
    case CREDPLAN_WEB_IDENTITY:
        (void)snprintf(l->label, sizeof(l->label), "web identity (role %.90s, region %.40s)",
                       getenv("AWS_ROLE_ARN"), l->region);
        return 0;
    case CREDPLAN_CONTAINER:
    case CREDPLAN_IMDS:
        (void)snprintf(l->label, sizeof(l->label), "%s", credplan_source_name(l->source));
        return 0;
    }
    return -EINVAL;
}

/* Those who have their keys elsewhere do not even open the shared files. */
static bool needs_shared(const struct credplan_facts *f)
{
    return !f->config_access_key && !f->config_secret_key && !f->env_access_key &&
           !f->env_secret_key;
}

int credlocal_find(const struct credlocal_config *config, struct credlocal *ret, char *why,
                   size_t why_size)
{
    struct credlocal l = {.secrets.expiry = USEC_NEVER};
    struct credplan_facts facts;
    struct shared s;
    int r = 0;

    find_facts(config, &facts);
    shared_paths(&s);
    if (needs_shared(&facts))
        r = read_shared(&s, why, why_size);
    facts.shared_keys = s.p.secrets.access_key;
    /* To web identity they say the region at most: what is wrong with them is not its concern. */
    if (r == 0 || facts.env_token_file)
        r = credplan_choose(&facts, &l.source, why, why_size);
    choose_region(config, &s, &l);
    if (r == 0)
        r = take(config, &s, &l, why, why_size);
    credfile_done(&s.p);
    if (r < 0) {
        secret_done(&l.secrets);
        return r;
    }
    *ret = l;
    return 0;
}

static uint64_t mix(uint64_t h, uint64_t value)
{
    h = (h ^ value) * 0x9e3779b97f4a7c15ULL;
    return h ^ (h >> 32);
}

static uint64_t mix_file(uint64_t h, const char *path)
{
    struct stat st;

    if (!path || *path == '\0' || stat(path, &st) < 0)
        return mix(h, 1);
    h = mix(h, (uint64_t)st.st_dev);
    h = mix(h, (uint64_t)st.st_ino);
    h = mix(h, (uint64_t)st.st_size);
    h = mix(h, (uint64_t)st.st_mtim.tv_sec);
    h = mix(h, (uint64_t)st.st_mtim.tv_nsec);
    h = mix(h, (uint64_t)st.st_ctim.tv_sec);
    return mix(h, (uint64_t)st.st_ctim.tv_nsec);
}

uint64_t credlocal_stamp(const struct credlocal_config *c)
{
    struct shared s;

    if (c->access_key_file)
        return mix_file(mix_file(mix_file(1, c->access_key_file), c->secret_key_file),
                        c->session_token_file);
    shared_paths(&s);
    return mix_file(mix_file(1, s.path[0]), s.path[1]);
}
