/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/http/reply.h"

#include <string.h>

#include "lib/net/timestamp.h"
#include "lib/store/http/demand.h"

/* The conditions of a row; the facts are reduced to these. */
enum {
    PUT = 1 << 0,
    GET = 1 << 1,
    IF_NONE = 1 << 2, /* a conditional PUT */
    SENT = 1 << 3,
    CUT = 1 << 4,    /* not all of the body was sent */
    SKEWED = 1 << 5, /* the store's clock is known and far from ours */
    MOVED = 1 << 6,  /* another region was named */
};

/* S3 allows 15 minutes; a signature may be made a little before it is checked. */
#define SKEW_LEAST (4 * USEC_PER_MIN)

#define TROUBLE true
#define ALONE false /* says nothing about the store as a whole */

struct row {
    long status;      /* 0: any; 2 to 5: any of that hundred */
    const char *code; /* NULL: any; "": none; with '*' at its end a prefix of at least one byte */
    unsigned needs;   /* all of these */
    enum reply_class class;
    bool trouble;
    const char *hint;
};

static const char check_access[] =
    "check the credentials, and that they permit writing (s3:PutObject)";
static const char no_tls[] =
    "the store speaks no TLS there: write http:// in upload.url or upload.endpoint";
static const char check_keys[] = "check the access key and the secret";
static const char check_bucket[] = "check the bucket's name in upload.url, and that it exists";
static const char check_url[] = "check upload.url: is PUT allowed at this address?";
static const char check_region[] = "set upload.region to the region of the bucket";
static const char check_proxy[] =
    "let the proxy pass contraced, or except the store from it: NO_PROXY, upload.no_proxy";
static const char reach_proxy[] =
    "check the proxy, or except the store from it: NO_PROXY, upload.no_proxy";
static const char check_clock[] = "set this machine's clock";
static const char check_sse[] = "check the encryption key and its permissions";
static const char check_account[] = "ask the provider: the account or bucket is blocked";
static const char no_room[] = "the store or its quota is full: make room there";
static const char too_big[] = "the store does not take objects of this size";
static const char bad_name[] = "the store does not take this key: shorten the prefix or labels";
static const char corrupt[] = "the bytes changed between disk and store";
static const char held[] = "an object of this key is held there by a retention policy";

/* The transfer did not end well, and no answer stands above that. */
static const struct {
    enum http_error error;
    unsigned needs;
    enum reply_class class;
    bool trouble;
    const char *hint;
} transport_table[] = {
    {HTTP_DNS, 0, REPLY_RETRY, TROUBLE, "the store's name does not resolve: check upload.url"},
    {HTTP_CONNECT, 0, REPLY_RETRY, TROUBLE, "is the store up, and reachable from here?"},
    {HTTP_TLS, 0, REPLY_RETRY, TROUBLE, "check the CA file, the server's name and the clock"},
    {HTTP_TLS_FILE, 0, REPLY_PARK, ALONE, "a CA, certificate or key file cannot be used"},
    {HTTP_PROXY, 0, REPLY_RETRY, TROUBLE, reach_proxy},
    {HTTP_PROXY_REFUSED, 0, REPLY_PARK, ALONE, check_proxy},
    {HTTP_TIMEOUT, 0, REPLY_RETRY, TROUBLE, ""},
    {HTTP_CLOSED, PUT | SENT, REPLY_RETRY, TROUBLE, "it may have been stored: sent again as it is"},
    {HTTP_CLOSED, 0, REPLY_RETRY, TROUBLE, ""},
    {HTTP_PROTOCOL, 0, REPLY_RETRY, TROUBLE, "what answers does not speak HTTP as it should"},
    {HTTP_ABORTED, 0, REPLY_RETRY, ALONE, ""},
    {HTTP_LOCAL, 0, REPLY_RETRY, ALONE, "memory or descriptors are short here"},
};

/* The first row that matches counts. Codes come before statuses, special rows before general
 * ones. */
static const struct row table[] = {
    /* whose clock */
    {0, "RequestTimeTooSkewed", SKEWED, REPLY_SKEW, ALONE, check_clock},
    {0, "RequestTimeTooSkewed", 0, REPLY_RETRY, TROUBLE, check_clock},
    {0, "RequestExpired", SKEWED, REPLY_SKEW, ALONE, check_clock},
    {0, "SignatureDoesNotMatch", SKEWED, REPLY_SKEW, ALONE, check_clock},
    {0, "AuthenticationFailed", SKEWED, REPLY_SKEW, ALONE, check_clock},
    {403, "", SKEWED, REPLY_SKEW, ALONE, check_clock},

    /* which region */
    {0, "AuthorizationHeaderMalformed", MOVED, REPLY_REGION, ALONE, check_region},
    {0, "PermanentRedirect", MOVED, REPLY_REGION, ALONE, check_region},
    {0, "TemporaryRedirect", MOVED, REPLY_REGION, ALONE, check_region},
    {0, "IllegalLocationConstraintException", MOVED, REPLY_REGION, ALONE, check_region},
    {0, "InvalidRegion", MOVED, REPLY_REGION, ALONE, check_region},
    {301, NULL, MOVED, REPLY_REGION, ALONE, check_region},
    {307, NULL, MOVED, REPLY_REGION, ALONE, check_region},
    {400, "", MOVED, REPLY_REGION, ALONE, check_region},
    {0, "AuthorizationHeaderMalformed", 0, REPLY_PARK, ALONE, check_region},
    {0, "PermanentRedirect", 0, REPLY_PARK, ALONE, check_region},
    {0, "TemporaryRedirect", 0, REPLY_RETRY, TROUBLE, "a new bucket's name is still spreading"},
    {0, "IllegalLocationConstraintException", 0, REPLY_PARK, ALONE, check_region},
    {0, "InvalidRegion", 0, REPLY_PARK, ALONE, check_region},

    /* new credentials help */
    {0, "ExpiredToken", 0, REPLY_REFRESH, ALONE, "the credentials have expired"},
    {0, "ExpiredTokenException", 0, REPLY_REFRESH, ALONE, "the credentials have expired"},
    {0, "ExpiredAuthenticationToken", 0, REPLY_REFRESH, ALONE, "the credentials have expired"},
    {0, "RequestExpired", 0, REPLY_REFRESH, ALONE, "the credentials have expired"},
    {0, "TokenRefreshRequired", 0, REPLY_REFRESH, ALONE, "the credentials have expired"},
    {0, "InvalidToken", 0, REPLY_REFRESH, ALONE, check_keys},
    {0, "InvalidClientTokenId", 0, REPLY_REFRESH, ALONE, check_keys},
    {0, "InvalidAccessKeyId", 0, REPLY_REFRESH, ALONE, check_keys},
    {0, "SignatureDoesNotMatch", 0, REPLY_REFRESH, ALONE, check_keys},
    {0, "InvalidIdentityToken", 0, REPLY_REFRESH, ALONE, "check the web identity's token file"},
    {0, "InvalidAuthenticationInfo", 0, REPLY_REFRESH, ALONE, check_keys},
    {0, "NoAuthenticationInformation", 0, REPLY_REFRESH, ALONE, check_keys},

    /* temporary errors of the store */
    {0, "SlowDown*", 0, REPLY_RETRY, TROUBLE, "the store asks to slow down"},
    {0, "ServiceUnavailable", 0, REPLY_RETRY, TROUBLE, ""},
    {0, "InternalError", 0, REPLY_RETRY, TROUBLE, ""},
    {0, "InternalFailure", 0, REPLY_RETRY, TROUBLE, ""},
    {0, "RequestTimeout", 0, REPLY_RETRY, TROUBLE, "the bytes came too slowly for the store"},
    {0, "RequestLimitExceeded", 0, REPLY_RETRY, TROUBLE, "the store asks to slow down"},
    {0, "Throttling*", 0, REPLY_RETRY, TROUBLE, "the store asks to slow down"},
    {0, "TooManyRequests*", 0, REPLY_RETRY, TROUBLE, "the store asks to slow down"},
    {0, "RateLimitExceeded", 0, REPLY_RETRY, TROUBLE, "the store asks to slow down"},
    {0, "BandwidthLimitExceeded", 0, REPLY_RETRY, TROUBLE, "the store asks to slow down"},
    {0, "IDPCommunicationError", 0, REPLY_RETRY, TROUBLE, ""},
    {0, "OperationAborted", 0, REPLY_RETRY, TROUBLE, ""},
    {0, "Redirect", 0, REPLY_RETRY, TROUBLE, ""},
    {0, "ServerBusy", 0, REPLY_RETRY, TROUBLE, "the store asks to slow down"},
    {0, "OperationTimedOut", 0, REPLY_RETRY, TROUBLE, ""},
    {0, "AccountBeingCreated", 0, REPLY_RETRY, TROUBLE, ""},
    {0, "ContainerBeingDeleted", 0, REPLY_RETRY, TROUBLE, "somebody deletes the container"},
    {0, "KMS.ThrottlingException", 0, REPLY_RETRY, TROUBLE, ""},
    {0, "KMS.InternalException", 0, REPLY_RETRY, TROUBLE, ""},
    /* of this request */
    {0, "ConditionalRequestConflict", 0, REPLY_RETRY, ALONE, ""},
    {0, "IncompleteBody", 0, REPLY_RETRY, ALONE, "something between here and the store cut it"},
    {0, "RequestTimedOut", 0, REPLY_RETRY, TROUBLE, ""},

    /* it is there already */
    {0, "PreconditionFailed", IF_NONE, REPLY_EXISTS, ALONE, ""},
    {0, "ConditionNotMet", IF_NONE, REPLY_EXISTS, ALONE, ""},
    {0, "BlobAlreadyExists", 0, REPLY_EXISTS, ALONE, ""},
    {0, "BlobArchived", PUT, REPLY_EXISTS, ALONE, ""},
    {0, "BlobImmutableDueTo*", PUT, REPLY_EXISTS, ALONE, held},
    {0, "ObjectUnderActiveHold", PUT, REPLY_EXISTS, ALONE, held},
    {0, "RetentionPolicyNotMet", PUT, REPLY_EXISTS, ALONE, held},
    {0, "FileAlreadyExists", PUT, REPLY_EXISTS, ALONE, ""},

    /* the bytes */
    {0, "BadDigest", 0, REPLY_REHASH, ALONE, corrupt},
    {0, "InvalidDigest", 0, REPLY_REHASH, ALONE, corrupt},
    {0, "XAmzContentSHA256Mismatch", 0, REPLY_REHASH, ALONE, corrupt},
    {0, "XAmzContentChecksumMismatch", 0, REPLY_REHASH, ALONE, corrupt},
    {0, "ContentSHA256Mismatch", 0, REPLY_REHASH, ALONE, corrupt},
    {0, "CrcMismatch", 0, REPLY_REHASH, ALONE, corrupt},
    {0, "Md5Mismatch", 0, REPLY_REHASH, ALONE, corrupt},
    {0, "Crc64Mismatch", 0, REPLY_REHASH, ALONE, corrupt},
    {0, "InvalidMd5", 0, REPLY_REHASH, ALONE, corrupt},

    /* never this object */
    {0, "EntityTooLarge", 0, REPLY_QUARANTINE, ALONE, too_big},
    {0, "EntityTooSmall", 0, REPLY_QUARANTINE, ALONE, too_big},
    {0, "RequestBodyTooLarge", 0, REPLY_QUARANTINE, ALONE, too_big},
    {0, "MaxMessageLengthExceeded", 0, REPLY_QUARANTINE, ALONE, too_big},
    {0, "KeyTooLong*", 0, REPLY_QUARANTINE, ALONE, bad_name},
    {0, "InvalidURI", 0, REPLY_QUARANTINE, ALONE, bad_name},
    {0, "InvalidObjectName", 0, REPLY_QUARANTINE, ALONE, bad_name},
    {0, "XMinioInvalidObjectName", 0, REPLY_QUARANTINE, ALONE, bad_name},
    {0, "InvalidResourceName", 0, REPLY_QUARANTINE, ALONE, bad_name},
    {0, "InvalidBlobType", 0, REPLY_QUARANTINE, ALONE, "an object of another type has this name"},
    {0, "MetadataTooLarge", 0, REPLY_QUARANTINE, ALONE, "shorten the labels"},
    {0, "InvalidMetadata", 0, REPLY_QUARANTINE, ALONE, "a label cannot be metadata there"},
    {0, "InvalidRequest", PUT, REPLY_QUARANTINE, ALONE, "the log quotes what the store said of it"},

    /* a GET of an object that does not exist or may not be read */
    {0, "NoSuchKey", GET, REPLY_MISSING, ALONE, ""},
    {0, "BlobNotFound", GET, REPLY_MISSING, ALONE, ""},
    {0, "InvalidObjectState", GET, REPLY_MISSING, ALONE, "restore it from its archive class first"},
    {0, "BlobArchived", GET, REPLY_MISSING, ALONE, "restore it from its archive tier first"},

    /* a person must act */
    {0, "AccessDenied*", 0, REPLY_PARK, ALONE, check_access},
    {0, "Forbidden", 0, REPLY_PARK, ALONE, check_access},
    {0, "UnauthorizedAccess*", 0, REPLY_PARK, ALONE, check_access},
    {0, "InvalidSecurity", 0, REPLY_PARK, ALONE, check_access},
    {0, "Authorization*", 0, REPLY_PARK, ALONE, check_access},
    {0, "InsufficientAccountPermissions", 0, REPLY_PARK, ALONE, check_access},
    {0, "KeyBasedAuthenticationNotPermitted", 0, REPLY_PARK, ALONE,
     "the account takes no shared keys: use a SAS or allow them"},
    {0, "AuthenticationFailed", 0, REPLY_PARK, ALONE, check_keys},
    {0, "CredentialsNotSupported", 0, REPLY_PARK, ALONE, check_keys},
    {0, "NoSuchBucket", 0, REPLY_PARK, ALONE, check_bucket},
    {0, "InvalidBucketName", 0, REPLY_PARK, ALONE, check_bucket},
    {0, "ContainerNotFound", 0, REPLY_PARK, ALONE, check_bucket},
    {0, "ResourceNotFound", 0, REPLY_PARK, ALONE, check_bucket},
    {0, "ContainerDisabled", 0, REPLY_PARK, ALONE, check_account},
    {0, "AllAccessDisabled", 0, REPLY_PARK, ALONE, check_account},
    {0, "AccountProblem", 0, REPLY_PARK, ALONE, check_account},
    {0, "AccountIsDisabled", 0, REPLY_PARK, ALONE, check_account},
    {0, "NotSignedUp", 0, REPLY_PARK, ALONE, check_account},
    {0, "InvalidPayer", 0, REPLY_PARK, ALONE, check_account},
    {0, "UserProject*", 0, REPLY_PARK, ALONE, check_account},
    {0, "KMS.*", 0, REPLY_PARK, ALONE, check_sse},
    {0, "CloudKms*", 0, REPLY_PARK, ALONE, check_sse},
    {0, "InvalidEncryptionAlgorithmError", 0, REPLY_PARK, ALONE, check_sse},
    {0, "InvalidStorageClass", 0, REPLY_PARK, ALONE, "the store has no such storage class"},
    {0, "InvalidTag", 0, REPLY_PARK, ALONE, "the store does not take these tags"},
    {0, "NotImplemented", 0, REPLY_PARK, ALONE, "the store lacks an option that is configured"},
    {0, "MethodNotAllowed", 0, REPLY_PARK, ALONE, check_url},
    {0, "XMinioStorageFull", 0, REPLY_PARK, ALONE, no_room},
    {0, "XMinioAdminBucketQuotaExceeded", 0, REPLY_PARK, ALONE, no_room},
    {0, "QuotaExceeded", 0, REPLY_PARK, ALONE, no_room},
    {0, "ServiceQuotaExceeded*", 0, REPLY_PARK, ALONE, no_room},

    /* statuses: success is only what confirms */
    {2, "*", 0, REPLY_RETRY, TROUBLE, "an error with a status of success"},
    {2, NULL, PUT | CUT, REPLY_RETRY, ALONE, "it was answered before all of it was sent"},
    {200, NULL, 0, REPLY_OK, ALONE, ""},
    {201, NULL, PUT, REPLY_OK, ALONE, ""},
    {204, NULL, PUT, REPLY_OK, ALONE, ""},
    {206, NULL, GET, REPLY_OK, ALONE, ""},
    {2, NULL, 0, REPLY_PARK, ALONE, "this status confirms nothing: is it an object store?"},
    {3, NULL, 0, REPLY_PARK, ALONE, "redirects are not followed: set upload.url to where it is"},
    {401, NULL, 0, REPLY_REFRESH, ALONE, check_keys},
    {403, NULL, 0, REPLY_PARK, ALONE, check_access},
    {404, NULL, GET, REPLY_MISSING, ALONE, ""},
    {404, NULL, 0, REPLY_PARK, ALONE, check_url},
    {405, NULL, 0, REPLY_PARK, ALONE, check_url},
    {408, NULL, 0, REPLY_RETRY, TROUBLE, ""},
    {409, NULL, 0, REPLY_PARK, ALONE, "does the directory exist? WebDAV may have to create it"},
    {410, NULL, GET, REPLY_MISSING, ALONE, ""},
    {412, NULL, IF_NONE, REPLY_EXISTS, ALONE, ""},
    {413, NULL, 0, REPLY_QUARANTINE, ALONE, too_big},
    {414, NULL, 0, REPLY_QUARANTINE, ALONE, bad_name},
    {417, NULL, 0, REPLY_RETRY, ALONE, ""},
    {422, NULL, PUT, REPLY_QUARANTINE, ALONE, "the log quotes what the store said of it"},
    {423, NULL, 0, REPLY_RETRY, ALONE, "the object is locked there"},
    {425, NULL, 0, REPLY_RETRY, TROUBLE, ""},
    {429, NULL, 0, REPLY_RETRY, TROUBLE, "the store asks to slow down"},
    {501, NULL, 0, REPLY_PARK, ALONE, check_url},
    {505, NULL, 0, REPLY_PARK, ALONE, check_url},
    {507, NULL, 0, REPLY_PARK, ALONE, no_room},
    {511, NULL, 0, REPLY_PARK, ALONE, "this network wants a login first"},
    {5, NULL, 0, REPLY_RETRY, TROUBLE, ""},
    {0, NULL, 0, REPLY_PARK, ALONE, "the log quotes what the store said"},
};

static const char *const class_names[] = {
    [REPLY_OK] = "ok",           [REPLY_RETRY] = "retry",
    [REPLY_REFRESH] = "refresh", [REPLY_SKEW] = "skew",
    [REPLY_REGION] = "region",   [REPLY_PARK] = "park",
    [REPLY_REHASH] = "rehash",   [REPLY_QUARANTINE] = "quarantine",
    [REPLY_EXISTS] = "exists",   [REPLY_MISSING] = "missing",
    [REPLY_BARE] = "bare",
};

_Static_assert(sizeof(class_names) / sizeof(class_names[0]) == REPLY_CLASS_COUNT, "one name each");

const char *reply_class_name(enum reply_class class)
{
    return class_names[class];
}

static const char *text(const char *s)
{
    return s ? s : "";
}

/* How far the store's clock is ahead of ours; 0 if unknown. */
static int64_t skew_of(const struct reply_facts *f)
{
    usec theirs;

    if (timestamp_parse_http(text(f->date), f->now, &theirs) < 0 &&
        clock_parse_rfc3339(text(f->server_time), &theirs) < 0)
        return 0;
    return (int64_t)(theirs - f->now);
}

static unsigned conditions(const struct reply_facts *f, int64_t skew)
{
    const char *told = text(f->region_told);
    unsigned has = f->put ? PUT : GET;

    has |= f->put && f->conditional ? IF_NONE : 0U;
    has |= f->sent ? SENT : CUT;
    has |= skew > (int64_t)SKEW_LEAST || skew < -(int64_t)SKEW_LEAST ? SKEWED : 0U;
    has |= told[0] != '\0' && strcmp(told, text(f->region)) != 0 ? MOVED : 0U;
    return has;
}

static bool code_fits(const char *wanted, const char *code)
{
    size_t n;

    if (!wanted)
        return true;
    n = strlen(wanted);
    if (n == 0 || wanted[n - 1] != '*')
        return strcmp(wanted, code) == 0;
    return code[0] != '\0' && strncmp(wanted, code, n - 1) == 0;
}

static bool status_fits(long wanted, long status)
{
    return wanted == 0 || wanted == status || (wanted < 10 && wanted == status / 100);
}

/*
 * An error that the store sent is valid even if the connection broke afterwards or we stopped
 * reading. A success must have ended well.
 */
static bool answered(const struct reply_facts *f)
{
    if (f->error == HTTP_OK)
        return f->status >= 200;
    return f->status >= 300 && (f->error == HTTP_ABORTED || text(f->code)[0] != '\0');
}

/* OpenSSL's errors for a peer that does not speak TLS. */
static bool speaks_no_tls(const char *said)
{
    return strstr(said, "wrong version number") || strstr(said, "packet length too long");
}

static void classify_transport(const struct reply_facts *f, unsigned has, struct reply *ret)
{
    *ret = (struct reply){.class = REPLY_RETRY, .trouble = TROUBLE, .hint = ""};
    for (size_t i = 0; i < sizeof(transport_table) / sizeof(transport_table[0]); i++) {
        if (transport_table[i].error != f->error ||
            (transport_table[i].needs & has) != transport_table[i].needs)
            continue;
        ret->class = transport_table[i].class;
        ret->trouble = transport_table[i].trouble;
        ret->hint =
            f->error == HTTP_TLS && speaks_no_tls(text(f->text)) ? no_tls : transport_table[i].hint;
        return;
    }
}

static const char *access_elsewhere(const struct reply_facts *f)
{
    return f->access_hint ? f->access_hint : "check the credentials, and what they permit there";
}

void reply_classify(const struct reply_facts *f, struct reply *ret)
{
    int64_t skew = skew_of(f);
    unsigned has = conditions(f, skew);

    if (!answered(f)) {
        classify_transport(f, has, ret);
        return;
    }
    if (f->s3 && demand_find(f, ret))
        return;
    for (const struct row *row = table;; row++) {
        if (!status_fits(row->status, f->status) || !code_fits(row->code, text(f->code)) ||
            (row->needs & has) != row->needs)
            continue; /* the last row matches everything */
        *ret = (struct reply){
            .class = row->class,
            .trouble = row->trouble,
            .skew = row->class == REPLY_SKEW ? skew : 0,
            .hint = row->hint == check_access && !f->s3 ? access_elsewhere(f) : row->hint,
        };
        return;
    }
}
