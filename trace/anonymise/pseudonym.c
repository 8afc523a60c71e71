/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/anonymise/pseudonym.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "trace/anonymise/words.h"
#include "trace/stack/stackclass.h"
#include "trace/summary/summary.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Digits of a hash: of a part of a name, and of a text as a whole. */
#define PART_DIGITS 12
#define WHOLE_DIGITS 16

/* Bytes of a span's id that is no text. */
#define BINARY_ID 8

/* What hashes are of, so that a file and a function of one name differ. */
enum { OF_FUNC = 'f', OF_FILE = 'p', OF_TEXT = 't' };

static void clear(struct pseudonym *out)
{
    out->len = 0;
    out->text[0] = '\0';
}

/* Appends; what is longer than PSEUDONYM_MAX is told by a length beyond it. */
static void add(struct pseudonym *out, const char *text, size_t n)
{
    if (out->len + n > PSEUDONYM_MAX) {
        out->len = PSEUDONYM_MAX + 1;
        return;
    }
    memcpy(out->text + out->len, text, n);
    out->len += n;
    out->text[out->len] = '\0';
}

static void adds(struct pseudonym *out, const char *text)
{
    add(out, text, strlen(text));
}

static bool overflows(const struct pseudonym *out)
{
    return out->len > PSEUDONYM_MAX;
}

static void digest_of(struct pseudonyms *p, char of, const char *text, size_t n,
                      uint8_t ret[PSEUDONYM_DIGEST])
{
    uint8_t data[1 + PSEUDONYM_MAX];
    int r;

    if (n > PSEUDONYM_MAX)
        n = PSEUDONYM_MAX;
    data[0] = (uint8_t)of;
    memcpy(data + 1, text, n);
    memset(ret, 0, PSEUDONYM_DIGEST);
    r = p->digest(p->userdata, data, n + 1, ret);
    if (r < 0 && p->error == 0)
        p->error = r;
}

/* Appends "x" and digits. The letter is in no hexadecimal number, so that nothing that our
 * classification looks for comes about by chance. */
static void add_hash(struct pseudonyms *p, struct pseudonym *out, char of, const char *text,
                     size_t n, size_t digits)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t hash[PSEUDONYM_DIGEST];
    char name[WHOLE_DIGITS + 1] = "x";

    digest_of(p, of, text, n, hash);
    for (size_t i = 0; i < digits; i++)
        name[1 + i] = hex[i % 2 == 0 ? hash[i / 2] >> 4 : hash[i / 2] & 15];
    add(out, name, digits + 1);
}

static bool is_wanted(const struct pseudonyms *p, const char *text)
{
    for (size_t i = 0; i < p->n_keep; i++) {
        if (fnmatch(p->keep[i], text, 0) == 0)
            return true;
    }
    return false;
}

/* Files that the compiler or cgo makes up, of whichever package. */
static bool is_made_up(const char *file)
{
    return file[0] == '\0' || file[0] == '<' || strncmp(file, "_cgo_", 5) == 0;
}

bool pseudonym_keeps(const struct pseudonyms *p, const char *func, const char *file,
                     enum owner owner)
{
    size_t len = strlen(func);

    if (len == 0 || is_wanted(p, func))
        return true;
    if (strchr(func, '.') == NULL) /* written in assembly, or C */
        return owner_std_file(file) != NULL;
    if (owner_is_std_name(func, len))
        return owner == OWNER_STD || is_made_up(file);
    return stack_of_known_package(func, len);
}

/* The end of what stands in brackets at `at`, where they close. */
static const char *closing(const char *at)
{
    int depth = 0;

    for (; *at; at++) {
        depth += *at == '[' || *at == '(';
        depth -= *at == ']' || *at == ')';
        if (depth == 0)
            return at + 1;
    }
    return at;
}

/* Parameters are types, of the program perhaps: the runtime writes [...] for all of them. */
static void add_parameters(struct pseudonyms *p, struct pseudonym *out, const char *text, size_t n)
{
    if (n == 5 && memcmp(text, "[...]", 5) == 0) {
        add(out, text, n);
        return;
    }
    add(out, "[", 1);
    add_hash(p, out, OF_FUNC, text, n, PART_DIGITS);
    add(out, "]", 1);
}

static void add_kept(struct pseudonyms *p, struct pseudonym *out, const char *func)
{
    while (*func && !overflows(out)) {
        const char *end = func + strcspn(func, "[");

        add(out, func, (size_t)(end - func));
        func = *end ? closing(end) : end;
        if (func > end)
            add_parameters(p, out, end, (size_t)(func - end));
    }
}

static bool is_number(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
    }
    return n > 0;
}

/* What the compiler calls functions that it makes. */
static bool is_generated(const char *text, size_t n)
{
    static const char *const words[] = {"func", "gowrap", "deferwrap", ""};

    if (n == 0 || (n == 4 && (memcmp(text, "init", 4) == 0 || memcmp(text, "glob", 4) == 0)))
        return true;
    for (size_t i = 0; i < N_OF(words); i++) {
        size_t m = strlen(words[i]);

        if (n > m && memcmp(text, words[i], m) == 0 && is_number(text + m, n - m))
            return true;
    }
    return false;
}

/* How long the ends -fm (of a method as a value) and -range1 (of a loop's body) are. */
static size_t ending(const char *text, size_t n)
{
    const char *dash = memrchr(text, '-', n);
    size_t m = dash ? (size_t)(text + n - dash) : 0;

    if ((m == 3 && memcmp(dash, "-fm", 3) == 0) ||
        (m > 6 && memcmp(dash, "-range", 6) == 0 && is_number(dash + 6, m - 6)))
        return m;
    return 0;
}

/* A function's name on the way to its pseudonym. */
struct naming {
    struct pseudonyms *p;
    struct pseudonym *out;
    const char *func;
    struct pseudonym plain; /* of the name so far, without what marks a pointer: what is hashed */
    const char *telling;    /* a part that says what the function waits for, or NULL */
};

/* A part is hashed with all that stands before it: one name in two packages is not one name. */
static void add_part(struct naming *g, const char *text, size_t n)
{
    add(&g->plain, ".", 1);
    add(&g->plain, text, n);
    if (overflows(&g->plain)) {
        clear(&g->plain);
        add(&g->plain, text, n < PSEUDONYM_MAX ? n : PSEUDONYM_MAX);
    }
    add_hash(g->p, g->out, OF_FUNC, g->plain.text, g->plain.len, PART_DIGITS);
}

/* How names begin that tell whose they are: cgo calls a C function F as _Cfunc_F, and function literals
 * are taken for such by "func". */
static size_t add_prefix(struct naming *g, const char *text, size_t n)
{
    static const char *const prefixes[] = {"_Cfunc_", "_C2func_", "func"};

    for (size_t i = 0; i < N_OF(prefixes); i++) {
        size_t m = strlen(prefixes[i]);

        if (n > m && memcmp(text, prefixes[i], m) == 0) {
            add(g->out, text, m);
            return m;
        }
    }
    return 0;
}

/* One name between dots, with what the compiler adds to it. */
static void add_name(struct naming *g, const char *text, size_t n)
{
    const char *bracket = memchr(text, '[', n);
    size_t base = bracket ? (size_t)(bracket - text) : n, end = bracket ? 0 : ending(text, n), c;

    base -= end;
    if (is_generated(text, base)) {
        add(g->out, text, base);
        add(&g->plain, ".", 1);
        add(&g->plain, text, base);
    } else if (g->telling == text - 1) { /* a well-known name, such as .EpollWait */
        add(g->out, text, base);
    } else {
        c = add_prefix(g, text, base);
        add_part(g, text + c, base - c);
        if (c > 0 && g->telling)
            adds(g->out, stack_c_word(g->func, strlen(g->func)));
    }
    if (bracket)
        add_parameters(g->p, g->out, bracket, n - base);
    add(g->out, text + n - end, end);
}

/* A receiver in parentheses: the pointer to a type. */
static void add_receiver(struct naming *g, const char *text, size_t n)
{
    size_t open = n > 1 && text[1] == '*' ? 2 : 1;

    add(g->out, text, open);
    add_name(g, text + open, n > open + 1 ? n - open - 1 : 0);
    add(g->out, ")", 1);
}

static void add_package(struct naming *g, size_t n)
{
    add(&g->plain, g->func, n < PSEUDONYM_MAX ? n : PSEUDONYM_MAX);
    if (n == 4 && memcmp(g->func, "main", 4) == 0)
        add(g->out, g->func, n);
    else if (n > 0)
        add_hash(g->p, g->out, OF_FUNC, g->func, n, PART_DIGITS);
}

static void add_names(struct naming *g, const char *at)
{
    while (*at == '.' && !overflows(g->out)) {
        const char *end = ++at;

        while (*end && *end != '.')
            end = *end == '(' || *end == '[' ? closing(end) : end + 1;
        add(g->out, ".", 1);
        if (*at == '(')
            add_receiver(g, at, (size_t)(end - at));
        else
            add_name(g, at, (size_t)(end - at));
        at = end;
    }
}

/* main.main and what is within it: a name that every program has. */
static bool is_main(const char *func)
{
    return strncmp(func, "main.main", 9) == 0 && (func[9] == '.' || func[9] == '\0');
}

static void add_hidden(struct naming *g)
{
    size_t n = owner_package(g->func);

    if (g->func[n] == '\0') {
        add_hash(g->p, g->out, OF_FUNC, g->func, n, WHOLE_DIGITS);
        return;
    }
    add_package(g, n);
    if (is_main(g->func)) {
        adds(g->out, ".main");
        adds(&g->plain, ".main");
        n = strlen("main.main");
    }
    add_names(g, g->func + n);
}

void pseudonym_of_func(struct pseudonyms *p, const char *func, bool kept, struct pseudonym *ret)
{
    struct naming g = {.p = p, .out = ret, .func = func};

    clear(ret);
    clear(&g.plain);
    g.telling = stack_telling(func, strlen(func));
    if (kept)
        add_kept(p, ret, func);
    else
        add_hidden(&g);
    if (overflows(ret)) {
        clear(ret);
        add_hash(p, ret, OF_FUNC, func, strlen(func), WHOLE_DIGITS);
        adds(ret, ".x");
    }
}

static void add_extension(struct pseudonym *out, const char *base)
{
    static const char *const known[] = {".go", ".s", ".c", ".cc", ".cpp", ".h"};
    const char *dot = strrchr(base, '.');

    for (size_t i = 0; dot && i < N_OF(known); i++) {
        if (strcmp(dot, known[i]) == 0)
            adds(out, dot);
    }
}

static void add_hidden_file(struct pseudonyms *p, struct pseudonym *out, const char *file,
                            bool versioned)
{
    const char *slash = strrchr(file, '/');
    size_t dir = slash ? (size_t)(slash - file) : 0;

    adds(out, "/x/");
    add_hash(p, out, OF_FILE, file, dir, PART_DIGITS);
    adds(out, versioned ? "@v0/" : "/");
    add_hash(p, out, OF_FILE, file, strlen(file), PART_DIGITS);
    add_extension(out, slash ? slash + 1 : file);
}

/* A file of a known package: its directory is told by the package alone. */
static void add_file_of_package(struct pseudonym *out, const char *file, const char *func,
                                bool versioned)
{
    const char *slash = strrchr(file, '/');

    adds(out, "/x/");
    add(out, func, owner_package(func));
    adds(out, versioned ? "@v0/" : "/");
    adds(out, slash ? slash + 1 : file);
}

static void add_made_up(struct pseudonyms *p, struct pseudonym *out, const char *file)
{
    static const char *const known[] = {"", "<autogenerated>", "_cgo_gotypes.go", "_cgo_export.c"};
    bool cgo = file[0] == '_';

    for (size_t i = 0; i < N_OF(known); i++) {
        if (strcmp(file, known[i]) == 0) {
            adds(out, file);
            return;
        }
    }
    adds(out, cgo ? "_cgo_" : "<");
    add_hash(p, out, OF_FILE, file, strlen(file), PART_DIGITS);
    adds(out, cgo ? "" : ">");
}

/* The standard library is where Go's own packages have it, whoever built the program. */
static void add_std_file(struct pseudonym *out, const char *file, const char *tail)
{
    if (tail != file)
        adds(out, "/usr/local/go/src/");
    adds(out, tail);
}

void pseudonym_of_file(struct pseudonyms *p, const char *file, const struct pseudonym_file *known,
                       struct pseudonym *ret)
{
    const char *tail = known->kept ? owner_std_file(file) : NULL;
    bool versioned = known->owner == OWNER_DEPENDENCY;

    clear(ret);
    if (is_made_up(file))
        add_made_up(p, ret, file);
    else if (is_wanted(p, file))
        adds(ret, file);
    else if (tail && known->owner == OWNER_STD)
        add_std_file(ret, file, tail);
    else if (known->kept && known->func && strchr(known->func, '.'))
        add_file_of_package(ret, file, known->func, versioned);
    else
        add_hidden_file(p, ret, file, versioned);
    if (overflows(ret)) {
        clear(ret);
        add_hidden_file(p, ret, file, versioned);
    }
}

/* Eight bytes that are no text may be a span's id, as some write it. */
static bool is_binary_id(const char *text, size_t len)
{
    size_t n = 0;

    while (n < len && text[n] >= ' ' && text[n] <= '~')
        n++;
    return len == BINARY_ID && n < len;
}

static void add_binary_id(struct pseudonyms *p, struct pseudonym *out, const char *text)
{
    uint8_t hash[PSEUDONYM_DIGEST];

    digest_of(p, OF_TEXT, text, BINARY_ID, hash);
    add(out, (const char *)hash, BINARY_ID);
}

/* What may be an id is one word, and not too long. */
static bool is_word(const char *text, size_t len)
{
    size_t n = 0;

    while (n < len && text[n] > ' ' && text[n] <= '~')
        n++;
    return n == len && len < SUMMARY_ID_SIZE;
}

/* The hash of several words is two words. */
static void add_text(struct pseudonyms *p, struct pseudonym *out, const char *text, size_t len)
{
    const char *category = summary_id_category(text, len);
    char *middle = out->text + 1 + WHOLE_DIGITS / 2;

    add_hash(p, out, OF_TEXT, text, len, WHOLE_DIGITS);
    if (!is_word(text, len)) {
        add(out, " ", 1);
        memmove(middle + 1, middle, WHOLE_DIGITS / 2);
        *middle = ' ';
    }
    if (category) {
        adds(out, ".");
        adds(out, category);
    }
}

void pseudonym_of_text(struct pseudonyms *p, const char *text, size_t len, struct pseudonym *ret)
{
    char whole[PSEUDONYM_MAX + 1];
    size_t n = len < PSEUDONYM_MAX ? len : PSEUDONYM_MAX;
    bool plain;

    clear(ret);
    memcpy(whole, text, n);
    whole[n] = '\0';
    plain = len == n && strlen(whole) == n;
    if (plain && (n == 0 || words_of_runtime(whole) || is_wanted(p, whole)))
        add(ret, whole, n);
    else if (is_binary_id(text, len))
        add_binary_id(p, ret, text);
    else
        add_text(p, ret, text, len);
}
