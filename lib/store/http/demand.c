/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/http/demand.h"

#include <string.h>

/* When a row counts. */
enum when {
    ALWAYS,
    PUT,
    SUMMED, /* a PUT with x-amz-checksum-sha256 */
    READ,
};

static const char demands_checksum[] =
    "the bucket demands x-amz-checksum-sha256: write `checksum: auto` in upload";
static const char lost_checksum[] =
    "the bucket demands a checksum and does not see x-amz-checksum-sha256, which was sent: does "
    "something on the way take it out?";
static const char no_checksum[] =
    "the store may not take x-amz-checksum-sha256: write `checksum: none` in upload";
static const char policy[] =
    "a policy denies it: does it demand x-amz-server-side-encryption "
    "(upload.server_side_encryption, .sse_kms_key_id, .sse_kms_context), x-amz-acl (upload.acl), "
    "x-amz-tagging (upload.tags) or x-amz-storage-class (upload.storage_class)?";
static const char write_access[] =
    "check the credentials, and that they permit writing (s3:PutObject); the bucket may demand "
    "x-amz-server-side-encryption (upload.server_side_encryption), x-amz-acl (upload.acl) or "
    "x-amz-request-payer (upload.request_payer)";
static const char read_access[] =
    "check the credentials, and that they permit reading (s3:GetObject, s3:ListBucket); the bucket "
    "may demand x-amz-request-payer (upload.request_payer)";

/*
 * The first row that matches: the store's code, and a part of its message (NULL: any). Texts are
 * those of Amazon, moto, MinIO, Backblaze, Cloudflare and Google.
 */
static const struct row {
    const char *code, *says;
    enum when when;
    enum reply_class class;
    const char *hint;
} rows[] = {
    {"InvalidRequest", "header is required", SUMMED, REPLY_PARK, lost_checksum},
    {"InvalidRequest", "header is required", PUT, REPLY_PARK, demands_checksum},
    {"MissingContentMD5", NULL, SUMMED, REPLY_PARK, lost_checksum},
    {"MissingContentMD5", NULL, PUT, REPLY_PARK, demands_checksum},
    {"MissingUploadObjectWithObjectLockHeaders", NULL, SUMMED, REPLY_PARK, lost_checksum},
    {"MissingUploadObjectWithObjectLockHeaders", NULL, PUT, REPLY_PARK, demands_checksum},
    {"InvalidArgument", "checksum", SUMMED, REPLY_BARE, no_checksum},
    {"InvalidRequest", "checksum", SUMMED, REPLY_BARE, no_checksum},
    {"NotImplemented", NULL, SUMMED, REPLY_BARE, no_checksum},
    {"ExcessHeaderValues", NULL, SUMMED, REPLY_BARE, no_checksum},
    {"MissingSecurityHeader", NULL, ALWAYS, REPLY_PARK,
     "a header is missing: upload.checksum, upload.acl, upload.server_side_encryption and "
     "upload.request_payer send some"},
    {"AccessControlListNotSupported", NULL, ALWAYS, REPLY_PARK,
     "the bucket takes no x-amz-acl: remove upload.acl"},
    {"AccessDenied", "s3:PutObjectAcl", ALWAYS, REPLY_PARK,
     "permit s3:PutObjectAcl, or remove upload.acl"},
    {"AccessDenied", "s3:PutObjectTagging", ALWAYS, REPLY_PARK,
     "permit s3:PutObjectTagging, or remove upload.tags"},
    {"AccessDenied", "kms:", ALWAYS, REPLY_PARK,
     "permit it for the key: upload.sse_kms_key_id, or that of the bucket; a key's policy may "
     "demand upload.sse_kms_context"},
    {"AccessDenied", "explicit deny", PUT, REPLY_PARK, policy},
    {"AccessDenied", NULL, PUT, REPLY_PARK, write_access},
    {"AccessDenied", NULL, READ, REPLY_PARK, read_access},
};

static bool counts(enum when when, const struct reply_facts *f)
{
    switch (when) {
    case ALWAYS: return true;
    case PUT: return f->put;
    case SUMMED: return f->put && f->summed;
    case READ: return !f->put;
    }
    return false;
}

bool demand_find(const struct reply_facts *f, struct reply *ret)
{
    const char *code = f->code ? f->code : "", *message = f->message ? f->message : "";

    if (f->status < 300)
        return false;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].code, code) != 0 || !counts(rows[i].when, f) ||
            (rows[i].says && !strcasestr(message, rows[i].says)))
            continue;
        *ret = (struct reply){.class = rows[i].class, .hint = rows[i].hint};
        return true;
    }
    return false;
}
