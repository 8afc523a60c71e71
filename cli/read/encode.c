/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/read/encode.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "cli/read/profile.pb-c.h"

#define GZIP_WINDOW (15 + 16) /* zlib.h: the greatest window, in gzip's format */
#define GZIP_MEMORY 8
#define PIECE_SIZE (64u << 10)

/* protobuf-c packs in pieces, which go through zlib to the writer. */
struct packer {
    ProtobufCBuffer buffer; /* the first, since protobuf-c knows nothing but this */
    z_stream z;
    encode_write_fn write;
    void *userdata;
    int error;
    uint8_t out[PIECE_SIZE];
};

static void pack(struct packer *p, const uint8_t *data, size_t n, int flush)
{
    int r = Z_OK;

    p->z.next_in = (Bytef *)(uintptr_t)data;
    p->z.avail_in = (uInt)n;
    do {
        size_t have;

        p->z.next_out = p->out;
        p->z.avail_out = sizeof(p->out);
        r = deflate(&p->z, flush);
        have = sizeof(p->out) - p->z.avail_out;
        if (have > 0 && p->error == 0)
            p->error = p->write(p->userdata, p->out, have);
    } while (p->error == 0 && (r == Z_OK && p->z.avail_out == 0));
}

static void append(ProtobufCBuffer *buffer, size_t n, const uint8_t *data)
{
    struct packer *p = (struct packer *)(void *)buffer;

    while (n > 0 && p->error == 0) {
        size_t piece = n < PIECE_SIZE ? n : PIECE_SIZE;

        pack(p, data, piece, Z_NO_FLUSH);
        data += piece;
        n -= piece;
    }
}

static int write_message(const ProtobufCMessage *message, encode_write_fn write, void *userdata)
{
    _cleanup_free_ struct packer *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->buffer.append = append;
    p->write = write;
    p->userdata = userdata;
    if (deflateInit2(&p->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return -ENOMEM;
    (void)protobuf_c_message_pack_to_buffer(message, &p->buffer);
    if (p->error == 0)
        pack(p, NULL, 0, Z_FINISH);
    (void)deflateEnd(&p->z);
    return p->error;
}

enum {
    WORD_NONE,
    WORD_CONTENTIONS,
    WORD_COUNT,
    WORD_DELAY,
    WORD_NANOSECONDS,
    WORD_TRACE,
    WORD_TASK,
    WORD_REGION,
    WORD_REASON,
    N_WORDS
};

static const char *const words[N_WORDS] = {
    [WORD_NONE] = "",       [WORD_CONTENTIONS] = "contentions", [WORD_COUNT] = "count",
    [WORD_DELAY] = "delay", [WORD_NANOSECONDS] = "nanoseconds", [WORD_TRACE] = "trace",
    [WORD_TASK] = "task",   [WORD_REGION] = "region",           [WORD_REASON] = "wait_reason",
};

/*
 * Arrays of messages as protobuf-c wants them: the messages, and pointers to them. The strings, of
 * which some have a zero byte or none at the end, stand in `text`.
 */
struct message {
    Pprof__Profile profile;
    Pprof__ValueType types[3];
    Pprof__ValueType *type_pointers[2];
    Pprof__Sample *samples;
    Pprof__Sample **sample_pointers;
    Pprof__Label *labels; /* LABELS for each that the sums have */
    Pprof__Label **label_pointers;
    size_t *label_counts;
    int64_t (*values)[2];
    uint64_t *location_ids;
    Pprof__Location *locations;
    Pprof__Location **location_pointers;
    Pprof__Line *lines;
    Pprof__Line **line_pointers;
    Pprof__Function *functions;
    Pprof__Function **function_pointers;
    char *text;
    char **strings;
};

#define LABELS 3 /* parts of a label */

static bool allocate(void *ret, size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);

    memcpy(ret, &p, sizeof(p));
    return p != NULL;
}

static bool allocate_all(struct message *m, const struct sums *s)
{
    return allocate(&m->samples, s->n_stacks, sizeof(*m->samples)) &&
           allocate(&m->sample_pointers, s->n_stacks, sizeof(*m->sample_pointers)) &&
           allocate(&m->labels, s->n_labels * LABELS, sizeof(*m->labels)) &&
           allocate(&m->label_pointers, s->n_labels * LABELS, sizeof(*m->label_pointers)) &&
           allocate(&m->label_counts, s->n_labels, sizeof(*m->label_counts)) &&
           allocate(&m->values, s->n_stacks, sizeof(*m->values)) &&
           allocate(&m->location_ids, s->n_rows, sizeof(*m->location_ids)) &&
           allocate(&m->locations, s->n_frames, sizeof(*m->locations)) &&
           allocate(&m->location_pointers, s->n_frames, sizeof(*m->location_pointers)) &&
           allocate(&m->lines, s->n_frames, sizeof(*m->lines)) &&
           allocate(&m->line_pointers, s->n_frames, sizeof(*m->line_pointers)) &&
           allocate(&m->functions, s->n_functions, sizeof(*m->functions)) &&
           allocate(&m->function_pointers, s->n_functions, sizeof(*m->function_pointers)) &&
           allocate(&m->text, s->n_texts + s->n_strings, 1) &&
           allocate(&m->strings, s->n_strings + N_WORDS, sizeof(*m->strings));
}

static void free_all(struct message *m)
{
    free(m->samples);
    free(m->sample_pointers);
    free(m->labels);
    free(m->label_pointers);
    free(m->label_counts);
    free(m->values);
    free(m->location_ids);
    free(m->locations);
    free(m->location_pointers);
    free(m->lines);
    free(m->line_pointers);
    free(m->functions);
    free(m->function_pointers);
    free(m->text);
    free(m->strings);
}

static void fill_type(struct message *m, size_t i, int64_t type, int64_t unit)
{
    pprof__value_type__init(&m->types[i]);
    m->types[i].type = type;
    m->types[i].unit = unit;
}

static void fill_types(struct message *m)
{
    fill_type(m, 0, WORD_CONTENTIONS, WORD_COUNT);
    fill_type(m, 1, WORD_DELAY, WORD_NANOSECONDS);
    fill_type(m, 2, WORD_TRACE, WORD_COUNT);
    m->type_pointers[0] = &m->types[0];
    m->type_pointers[1] = &m->types[1];
    m->profile.sample_type = m->type_pointers;
    m->profile.n_sample_type = 2;
    m->profile.period_type = &m->types[2];
    m->profile.period = 1;
}

/* A text ends at its first zero byte; names in programs have none. */
static void fill_strings(struct message *m, const struct sums *s)
{
    char *to = m->text;

    for (size_t i = 0; i < N_WORDS; i++)
        m->strings[i] = (char *)(uintptr_t)words[i];
    for (size_t i = 0; i < s->n_strings; i++) {
        m->strings[N_WORDS + i] = to;
        if (s->strings[i].len > 0)
            memcpy(to, s->texts + s->strings[i].offset, s->strings[i].len);
        to += s->strings[i].len;
        *to++ = '\0';
    }
    m->profile.string_table = m->strings;
    m->profile.n_string_table = N_WORDS + s->n_strings;
}

static void fill_locations(struct message *m, const struct sums *s)
{
    for (size_t i = 0; i < s->n_functions; i++) {
        Pprof__Function *f = &m->functions[i];

        pprof__function__init(f);
        f->id = i + 1;
        f->name = f->system_name = N_WORDS + (int64_t)s->functions[i].name;
        f->filename = N_WORDS + (int64_t)s->functions[i].file;
        m->function_pointers[i] = f;
    }
    for (size_t i = 0; i < s->n_frames; i++) {
        Pprof__Location *l = &m->locations[i];

        pprof__line__init(&m->lines[i]);
        m->lines[i].function_id = s->frames[i].function + (uint64_t)1;
        m->lines[i].line = (int64_t)s->frames[i].line;
        m->line_pointers[i] = &m->lines[i];
        pprof__location__init(l);
        l->id = i + 1;
        l->address = s->frames[i].pc;
        l->n_line = 1;
        l->line = &m->line_pointers[i];
        m->location_pointers[i] = l;
    }
    m->profile.function = m->function_pointers;
    m->profile.n_function = s->n_functions;
    m->profile.location = m->location_pointers;
    m->profile.n_location = s->n_frames;
}

static void fill_labels(struct message *m, const struct sums *s)
{
    for (size_t i = 0; i < s->n_labels; i++) {
        const struct sums_label *label = &s->labels[i];
        const uint32_t values[LABELS] = {label->task, label->region, label->reason};

        for (size_t k = 0; k < LABELS; k++) {
            size_t at = i * LABELS + m->label_counts[i];

            if (values[k] == SUMS_NONE)
                continue;
            pprof__label__init(&m->labels[at]);
            m->labels[at].key = WORD_TASK + (int64_t)k;
            m->labels[at].str = N_WORDS + (int64_t)values[k];
            m->label_pointers[at] = &m->labels[at];
            m->label_counts[i]++;
        }
    }
}

static void fill_samples(struct message *m, const struct sums *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_rows; i++)
        m->location_ids[i] = s->rows[i] + (uint64_t)1;
    for (size_t i = 0; i < s->n_stacks; i++) {
        const struct sums_stack *stack = &s->stacks[i];
        Pprof__Sample *sample = &m->samples[n];

        if (stack->count == 0)
            continue;
        pprof__sample__init(sample);
        m->values[n][0] = (int64_t)stack->count;
        m->values[n][1] = stack->ns;
        sample->value = m->values[n];
        sample->n_value = 2;
        sample->location_id = m->location_ids + stack->offset;
        sample->n_location_id = stack->n;
        if (stack->label != SUMS_NONE) {
            sample->label = m->label_pointers + (size_t)stack->label * LABELS;
            sample->n_label = m->label_counts[stack->label];
        }
        m->sample_pointers[n++] = sample;
    }
    m->profile.sample = m->sample_pointers;
    m->profile.n_sample = n;
}

int encode_sums(const struct sums *sums, encode_write_fn write, void *userdata)
{
    struct message m = {0};
    int r = -ENOMEM;

    pprof__profile__init(&m.profile);
    if (allocate_all(&m, sums)) {
        fill_types(&m);
        fill_strings(&m, sums);
        fill_locations(&m, sums);
        fill_labels(&m, sums);
        fill_samples(&m, sums);
        r = write_message(&m.profile.base, write, userdata);
    }
    free_all(&m);
    return r;
}
