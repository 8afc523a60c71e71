/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/stack/owner.h"

#include <string.h>

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The first parts of the standard library's import paths. A module of one's own may well have no
 * dot in its path either. */
static const char *const std[] = {
    "archive", "bufio",   "builtin", "bytes",   "cmd",      "cmp",      "compress", "container",
    "context", "crypto",  "debug",   "embed",   "encoding", "errors",   "expvar",   "flag",
    "fmt",     "go",      "hash",    "html",    "image",    "index",    "internal", "io",
    "iter",    "log",     "maps",    "math",    "mime",     "net",      "os",       "path",
    "plugin",  "reflect", "regexp",  "runtime", "simd",     "slices",   "sort",     "strconv",
    "strings", "structs", "sync",    "syscall", "testing",  "text",     "time",     "unicode",
    "unique",  "unsafe",  "uuid",    "vendor",  "weak",     "database",
};

/* Hosts of which a module's path has two parts more. */
static const char *const forges[] = {"github.com/", "gitlab.com/", "bitbucket.org/",
                                     "codeberg.org/"};

size_t owner_package(const char *func)
{
    size_t n = strcspn(func, "[("), at = 0;

    for (size_t i = 0; i < n; i++) {
        if (func[i] == '/')
            at = i + 1;
    }
    return at + strcspn(func + at, ".");
}

static bool is_std_part(const char *func, size_t n)
{
    for (size_t i = 0; i < N_OF(std); i++) {
        if (strlen(std[i]) == n && memcmp(std[i], func, n) == 0)
            return true;
    }
    return false;
}

/* Whether the path is absolute, as it is unless the program was built with -trimpath or by Bazel. */
static bool is_absolute(const char *file)
{
    return file[0] == '/' || (file[0] != '\0' && file[1] == ':');
}

/* What of a path of GOROOT is below its directory src: a part of the standard library. It need not be
 * the function's own, as the runtime has functions of other packages (os/signal.signal_recv), and they
 * have some of its. */
static const char *below_src(const char *file)
{
    for (const char *at = strstr(file, "/src/"); at; at = strstr(at + 1, "/src/")) {
        if (is_std_part(at + 5, strcspn(at + 5, "/")))
            return at + 5;
    }
    return NULL;
}

const char *owner_std_file(const char *file)
{
    size_t first = strcspn(file, "/");

    if (is_absolute(file))
        return below_src(file);
    return file[first] == '/' && is_std_part(file, first) ? file : NULL;
}

bool owner_is_std_name(const char *func, size_t len)
{
    size_t n = 0;

    while (n < len && !strchr("/.[(", func[n]))
        n++;
    return n < len && (func[n] == '/' || func[n] == '.') && is_std_part(func, n);
}

static bool is_std(const char *func, size_t n, const char *file)
{
    size_t first = strcspn(func, "/");

    return is_std_part(func, first < n ? first : n) && (!is_absolute(file) || below_src(file));
}

/* The length of a path up to and with the part that has the module's version, as in the module
 * cache; 0: none has. */
static size_t versioned_len(const char *file)
{
    for (const char *at = strstr(file, "@v"); at; at = strstr(at + 1, "@v")) {
        if (at[2] >= '0' && at[2] <= '9')
            return (size_t)(at - file) + strcspn(at, "/");
    }
    return 0;
}

/* How many parts of a path below src/ a module has at least. */
static unsigned parts_of_module(const char *path)
{
    for (size_t i = 0; i < N_OF(forges); i++) {
        if (strncmp(path, forges[i], strlen(forges[i])) == 0)
            return 3;
    }
    return 2;
}

/* Whether the first parts of two paths agree, at most as many as a has directories. */
static bool shares_parts(const char *a, const char *b, unsigned parts)
{
    for (; parts > 0 && strchr(a, '/') != NULL; parts--) {
        size_t n = strcspn(a, "/");

        if (strncmp(a, b, n + 1) != 0)
            return false;
        a += n + 1;
        b += n + 1;
    }
    return true;
}

/* Whether both are in one tree where directories are import paths, and are of different modules. */
static bool is_elsewhere_in_tree(const char *func, const char *file, const char *main_file)
{
    const char *src = main_file ? strstr(main_file, "/src/") : NULL;
    size_t root = src ? (size_t)(src + 5 - main_file) : 0, first = strcspn(func, "/") + 1;

    if (!src || strncmp(file, main_file, root) != 0 || strncmp(file + root, func, first) != 0 ||
        memchr(func, '.', first) == NULL)
        return false;
    return !shares_parts(main_file + root, file + root, parts_of_module(main_file + root));
}

static bool is_dependency(const char *func, size_t n, const char *file, const char *main_file)
{
    size_t versioned = versioned_len(file);
    const char *vendor = strstr(func, "/vendor/");

    if (versioned > 0)
        return !main_file || strncmp(file, main_file, versioned + 1) != 0;
    return (vendor && vendor < func + n) || strstr(file, "/vendor/") ||
           strncmp(file, "external/", 9) == 0 || is_elsewhere_in_tree(func, file, main_file);
}

/* Files that the compiler or cgo made up. */
static bool is_made_up(const char *func, const char *file)
{
    return file[0] == '<' || strncmp(file, "_cgo_", 5) == 0 || strstr(func, "._Cfunc_");
}

static bool is_main(const char *func)
{
    return strncmp(func, "main.", 5) == 0;
}

bool owner_tells_main(const char *func, const char *file)
{
    return is_main(func) && file[0] != '\0' && !is_made_up(func, file);
}

enum owner owner_of(const char *func, const char *file, const char *main_file)
{
    size_t n = owner_package(func);

    if (n == 0 || is_made_up(func, file))
        return OWNER_DEPENDENCY;
    if (is_main(func))
        return OWNER_PROGRAM;
    if (is_std(func, n, file))
        return OWNER_STD;
    return is_dependency(func, n, file, main_file) ? OWNER_DEPENDENCY : OWNER_PROGRAM;
}
