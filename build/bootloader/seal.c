/*
 * The seal: what the executable knows of itself, and the very first code that runs, which looks at it.
 *
 * A download or a copy that broke off leaves an executable that starts all the same: the kernel maps what the program
 * headers say, and the process is killed by a signal when it touches a page that the file does not have. That would be
 * an exit status beyond those promised, and no word of why. So this code runs before any other, the C library's start
 * included, and compares the file's length with the one that the build has noted.
 *
 * All that it touches lies in the first pages of the file: the seal, which layout.ld puts before the code, and itself,
 * by being in .text.unlikely, with which the code begins. (Of a file that has not even these, some 9 kB, nothing can
 * run.) It uses no libc, and no data but what is in the seal. layout.ld does one thing more: where the data in the file
 * ends within a page, the kernel itself clears the remainder of that page, and kills the process if the page is not
 * there. So the data ends with a page.
 */

#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EARLY __attribute__((section(".text.unlikely"), used, noinline, no_stack_protector))

#define CUT_SHORT "internal error: this executable is cut short; copy it again\n"

/* archive.py knows it by its name, writes the numbers when everything else is in place, and reads them. */
struct seal {
    char name[24];
    uint64_t size; /* of the file, in bytes; 0 as long as it is not sealed */
    uint64_t archive;
    uint64_t archive_size;
    uint64_t checksum;
    char self[16];
    char cut_short[sizeof CUT_SHORT - 1] __attribute__((nonstring));
};

__attribute__((section(".seal"), used)) static const struct seal seal = {
    .name = "the seal of this file",
    .self = "/proc/self/exe",
    .cut_short = CUT_SHORT,
};

#if defined __x86_64__

__asm__(".section .text.unlikely, \"ax\"\n"
        ".globl sealed_start\n"
        "sealed_start:\n"
        "    mov %rsp, %rdi\n"
        "    call refuse_if_cut_short\n"
        "    xor %edx, %edx\n" /* what to call at the exit: as the kernel leaves it, nothing */
        "    jmp _start\n"
        ".text\n");

EARLY static long
call_kernel(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

#elif defined __aarch64__

__asm__(".section .text.unlikely, \"ax\"\n"
        ".globl sealed_start\n"
        "sealed_start:\n"
        "    mov x0, sp\n"
        "    bl refuse_if_cut_short\n"
        "    mov x0, xzr\n"
        "    b _start\n"
        ".text\n");

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

#else
#error "the start of a process on this machine is not known here"
#endif

/* A relative path is as execve took it: the process is still where it was then. */
EARLY static long
open_for_reading(const char *path)
{
    return call_kernel(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC);
}

void refuse_if_cut_short(const uintptr_t *stack);

/* `stack` is as the kernel leaves it: the number of arguments, they, 0, the environment, 0, the auxiliary vector. */
EARLY void
refuse_if_cut_short(const uintptr_t *stack)
{
    const struct seal *sealed = &seal;
    __asm__("" : "+r"(sealed)); /* for the compiler not to take the numbers for those above */

    long file = open_for_reading(sealed->self);
    if (file < 0) {
        const uintptr_t *entry = stack + 1 + stack[0] + 1;
        while (*entry++)
            continue;
        while (entry[0] != AT_NULL && entry[0] != AT_EXECFN)
            entry += 2;
        file = entry[0] == AT_EXECFN ? open_for_reading((const char *)entry[1]) : -1;
    }
    if (file < 0)
        return;
    long size = call_kernel(SYS_lseek, file, 0, SEEK_END);
    call_kernel(SYS_close, file, 0, 0);
    if (size >= (long)sealed->size)
        return;
    call_kernel(SYS_write, STDERR_FILENO, (long)sealed->cut_short, sizeof sealed->cut_short);
    call_kernel(SYS_exit_group, 1, 0, 0);
}
