/*
 * The check that the executable is complete.
 *
 * Contract: start.c calls check_seal before the C library starts, with the stack that start.h describes. If the file is
 * not as long as the build has made it, or if its last 16 bytes differ, check_seal prints one line and ends the process
 * with exit status 1. It returns otherwise, also if the file is not sealed yet (seal.py) or cannot be opened.
 *
 * A download or a copy that broke off leaves an executable that still starts: the kernel maps what the program headers
 * say, and a signal kills the process when it touches a page that the file does not have. That would be an exit status
 * beyond 1, and no message. Some tools create the file in its full length first, so its end is compared too.
 *
 * All that this code touches of the file lies in the first pages: the seal, which layout.ld puts before the code, and
 * this code itself. It is in .text.unlikely, with which the code begins. A file that lacks even these pages, some 9 kB,
 * cannot run at all. The code uses no constants but those in the seal. layout.ld does one thing more: if the data in
 * the file ended within a page, the kernel would clear the rest of that page, and kill the process if the page is
 * missing. So the data ends with a page.
 */

#include "seal.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "start.h"

__attribute__((section(".seal"), used)) const struct seal seal = {
    .name = "the seal of this file",
    .self = "/proc/self/exe",
    .damaged = DAMAGED,
};

#ifdef __x86_64__

EARLY static long
call_kernel(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

#elif defined __aarch64__

EARLY static long
call_kernel(long number, long a, long b, long c)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}

#endif

EARLY static long
open_for_reading(const char *path)
{
    return call_kernel(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC);
}

/* The path that execve got. A relative one is still right: the process has not changed its working directory. */
EARLY static long
open_as_executed(const uintptr_t *stack)
{
    const uintptr_t *entry = auxiliary_vector_on(stack);
    while (entry[0] != AT_NULL && entry[0] != AT_EXECFN)
        entry += 2;
    return entry[0] == AT_EXECFN ? open_for_reading((const char *)entry[1]) : -1;
}

EARLY void
check_seal(const uintptr_t *stack)
{
    const struct seal *sealed = &seal;
    __asm__("" : "+r"(sealed)); /* so that the compiler does not use the values above for what is in it */

    long file = open_for_reading(sealed->self);
    if (file < 0)
        file = open_as_executed(stack); /* without /proc */
    if (file < 0)
        return;
    uint64_t end[2] = {0, 0};
    long size = call_kernel(SYS_lseek, file, -(long)sizeof end, SEEK_END) + (long)sizeof end;
    call_kernel(SYS_read, file, (long)end, sizeof end);
    call_kernel(SYS_close, file, 0, 0);
    if (sealed->size == 0 || (size == (long)sealed->size && end[0] == sealed->end[0] && end[1] == sealed->end[1]))
        return;
    call_kernel(SYS_write, STDERR_FILENO, (long)sealed->damaged, sizeof sealed->damaged - 1);
    call_kernel(SYS_exit_group, 1, 0, 0);
}
