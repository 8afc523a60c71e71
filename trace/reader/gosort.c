/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/reader/gosort.h"

#include <stdbool.h>

#define INSERTION_MAX 12 /* up to this many are sorted by insertion */
/* From this many on the pivot is a median of nine, and a few misplaced entries are moved. */
#define NINTHER_MIN 50
#define ASTRAY_MAX 5

/* Half-open ranges of one array. Some steps depend on absolute positions in it. */
struct gosort {
    struct frontier_entry *list;
    bool balanced; /* the last partition was */
    bool ordered;  /* and had nothing to do */
};

static bool less(const struct gosort *s, ptrdiff_t i, ptrdiff_t j)
{
    return s->list[i].time < s->list[j].time;
}

static void swap(const struct gosort *s, ptrdiff_t i, ptrdiff_t j)
{
    struct frontier_entry e = s->list[i];

    s->list[i] = s->list[j];
    s->list[j] = e;
}

static void insert_all(const struct gosort *s, ptrdiff_t begin, ptrdiff_t end)
{
    for (ptrdiff_t i = begin + 1; i < end; i++)
        for (ptrdiff_t j = i; j > begin && less(s, j, j - 1); j--)
            swap(s, j, j - 1);
}

static void sink(const struct gosort *s, ptrdiff_t begin, ptrdiff_t root, ptrdiff_t n)
{
    for (ptrdiff_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && less(s, begin + child, begin + child + 1))
            child++;
        if (!less(s, begin + root, begin + child))
            return;
        swap(s, begin + root, begin + child);
    }
}

/* Heap sort, if quicksort would need too many steps. */
static void heapsort_all(const struct gosort *s, ptrdiff_t begin, ptrdiff_t end)
{
    ptrdiff_t n = end - begin;

    for (ptrdiff_t i = (n - 1) / 2; i >= 0; i--)
        sink(s, begin, i, n);
    for (ptrdiff_t i = n - 1; i >= 0; i--) {
        swap(s, begin, begin + i);
        sink(s, begin, 0, i);
    }
}

/* Swaps some entries in the middle with others, by pseudo-random numbers seeded with the length. */
static void scatter(const struct gosort *s, ptrdiff_t begin, ptrdiff_t end)
{
    ptrdiff_t n = end - begin, middle = begin + n / 4 * 2;
    uint64_t random = (uint64_t)n, mask = 1;

    if (n < 8)
        return;
    while (mask <= (uint64_t)n)
        mask *= 2;
    for (ptrdiff_t i = middle - 1; i <= middle + 1; i++) {
        ptrdiff_t other;

        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        other = (ptrdiff_t)(random & (mask - 1));
        swap(s, i, begin + (other >= n ? other - n : other));
    }
}

/* Orders two positions by their values, and counts swaps. */
static void order(const struct gosort *s, ptrdiff_t *i, ptrdiff_t *j, unsigned *swaps)
{
    ptrdiff_t was = *i;

    if (!less(s, *j, *i))
        return;
    ++*swaps;
    *i = *j;
    *j = was;
}

static ptrdiff_t median(const struct gosort *s, ptrdiff_t i, ptrdiff_t j, ptrdiff_t k,
                        unsigned *swaps)
{
    order(s, &i, &j, swaps);
    order(s, &j, &k, swaps);
    order(s, &i, &j, swaps);
    return j;
}

/* Whether the sampled pairs were all in order, all reversed, or mixed. */
enum { NONE_SWAPPED = 0, ALL_SWAPPED = 12 };

static ptrdiff_t choose_pivot(const struct gosort *s, ptrdiff_t begin, ptrdiff_t end,
                              unsigned *ret_swaps)
{
    ptrdiff_t quarter = (end - begin) / 4;
    ptrdiff_t i = begin + quarter, j = begin + 2 * quarter, k = begin + 3 * quarter;

    *ret_swaps = 0;
    if (end - begin >= NINTHER_MIN) {
        i = median(s, i - 1, i, i + 1, ret_swaps);
        j = median(s, j - 1, j, j + 1, ret_swaps);
        k = median(s, k - 1, k, k + 1, ret_swaps);
    }
    return median(s, i, j, k, ret_swaps);
}

static void reverse(const struct gosort *s, ptrdiff_t begin, ptrdiff_t end)
{
    for (ptrdiff_t i = begin, j = end - 1; i < j; i++, j--)
        swap(s, i, j);
}

/* Moves a few misplaced entries, if there are NINTHER_MIN entries. True if the range is or becomes
 * sorted. */
static bool mend(const struct gosort *s, ptrdiff_t begin, ptrdiff_t end)
{
    ptrdiff_t i = begin + 1;

    for (int astray = 0; astray < ASTRAY_MAX; astray++) {
        while (i < end && !less(s, i, i - 1))
            i++;
        if (i == end)
            return true;
        if (end - begin < NINTHER_MIN)
            return false;
        swap(s, i, i - 1);
        for (ptrdiff_t j = i - 1; i - begin >= 2 && j >= 1 && less(s, j, j - 1); j--)
            swap(s, j, j - 1);
        for (ptrdiff_t j = i + 1; end - i >= 2 && j < end && less(s, j, j - 1); j++)
            swap(s, j, j - 1);
    }
    return false;
}

/* Partitions the range by the pivot. Returns the pivot's new position. */
static ptrdiff_t partition(struct gosort *s, ptrdiff_t begin, ptrdiff_t end, ptrdiff_t pivot)
{
    ptrdiff_t i = begin + 1, j = end - 1;

    swap(s, begin, pivot);
    for (s->ordered = true;; s->ordered = false) {
        while (i <= j && less(s, i, begin))
            i++;
        while (i <= j && !less(s, j, begin))
            j--;
        if (i > j)
            break;
        swap(s, i++, j--);
    }
    swap(s, begin, j);
    return j;
}

/* If none is less than the pivot: moves those equal to it to the left. Returns where the others
 * start. */
static ptrdiff_t partition_equal(const struct gosort *s, ptrdiff_t begin, ptrdiff_t end,
                                 ptrdiff_t pivot)
{
    ptrdiff_t i = begin + 1, j = end - 1;

    swap(s, begin, pivot);
    for (;;) {
        while (i <= j && !less(s, begin, i))
            i++;
        while (i <= j && less(s, begin, j))
            j--;
        if (i > j)
            return i;
        swap(s, i++, j--);
    }
}

/* Chooses the pivot. A range that was in reverse order is reversed first. */
static ptrdiff_t prepare(const struct gosort *s, ptrdiff_t begin, ptrdiff_t end, bool *ret_sorted)
{
    unsigned swaps;
    ptrdiff_t pivot = choose_pivot(s, begin, end, &swaps);

    if (swaps == ALL_SWAPPED) {
        reverse(s, begin, end);
        pivot = end - 1 - (pivot - begin);
        swaps = NONE_SWAPPED;
    }
    *ret_sorted = s->balanced && s->ordered && swaps == NONE_SWAPPED && mend(s, begin, end);
    return pivot;
}

/* `bad`: how many unbalanced partitions are allowed. The larger half is sorted in the same loop. */
static void sort(struct frontier_entry *list, ptrdiff_t begin, ptrdiff_t end, unsigned bad)
{
    struct gosort s = {list, true, true};

    while (end - begin > INSERTION_MAX && bad > 0) {
        ptrdiff_t n = end - begin, pivot;
        bool sorted;

        if (!s.balanced) {
            scatter(&s, begin, end);
            bad--;
        }
        pivot = prepare(&s, begin, end, &sorted);
        if (sorted)
            return;
        if (begin > 0 && !less(&s, begin - 1, pivot)) {
            begin = partition_equal(&s, begin, end, pivot);
            continue;
        }
        pivot = partition(&s, begin, end, pivot);
        if (pivot - begin < end - pivot) {
            s.balanced = pivot - begin >= n / 8;
            sort(list, begin, pivot, bad);
            begin = pivot + 1;
        } else {
            s.balanced = end - pivot >= n / 8;
            sort(list, pivot + 1, end, bad);
            end = pivot;
        }
    }
    if (end - begin <= INSERTION_MAX)
        insert_all(&s, begin, end);
    else
        heapsort_all(&s, begin, end);
}

void gosort(struct frontier_entry *list, size_t n)
{
    unsigned bits = 0;

    while (n >> bits != 0)
        bits++;
    sort(list, 0, (ptrdiff_t)n, bits);
}
