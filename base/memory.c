/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"

#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Whether the dynamic linker wrote into this code: those changes would be lost. */
static bool has_relocated_text(const struct dl_phdr_info *object, const ElfW(Phdr) *dynamic)
{
    const ElfW(Dyn) *d = (const ElfW(Dyn) *)(object->dlpi_addr + dynamic->p_vaddr);

    for (; d->d_tag != DT_NULL; d++) {
        if (d->d_tag == DT_TEXTREL || (d->d_tag == DT_FLAGS && (d->d_un.d_val & DF_TEXTREL)))
            return true;
    }
    return false;
}

/* Drops the pages that are mapped without the right to write: they are the same in the file. */
static int drop_constant(struct dl_phdr_info *object, size_t size, void *userdata)
{
    const uintptr_t page = *(const uintptr_t *)userdata;

    (void)size;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        if (object->dlpi_phdr[i].p_type == PT_DYNAMIC &&
            has_relocated_text(object, &object->dlpi_phdr[i]))
            return 0;
    }
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &object->dlpi_phdr[i];
        uintptr_t from = (object->dlpi_addr + p->p_vaddr) & ~(page - 1);
        uintptr_t to = object->dlpi_addr + p->p_vaddr + p->p_memsz;

        if (p->p_type == PT_LOAD && !(p->p_flags & PF_W))
            (void)madvise((void *)from, to - from, MADV_DONTNEED);
    }
    return 0;
}

void memory_give_back(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    (void)malloc_trim(0);
    (void)dl_iterate_phdr(drop_constant, &page);
}
