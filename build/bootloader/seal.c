/*
 * The very first code that runs, before the C library's own start. It does two things that have to be done so early.
 *
 * It looks at the seal. A download or a copy that broke off leaves an executable that starts all the same: the kernel
 * maps what the program headers say, and the process is killed by a signal when it touches a page that the file does
 * not have. That would be an exit status beyond those promised, and no word of why. So the file's length is compared
 * with the one that the build has noted, and its last bytes too: some tools make the file in its full length first.
 *
 * And it hides the environment. The C library reads variables of its own before main (GLIBC_TUNABLES, MALLOC_*), and so
 * does OpenSSL (OPENSSL_ia32cap); what they could do is up to a crash. It is given an empty environment, and Python the
 * real one (launcher.c).
 *
 * All that this code touches of the file lies in the first pages: the seal, which layout.ld puts before the code, and
 * itself, by being in .text.unlikely, with which the code begins. (Of a file that has not even these, some 9 kB,
 * nothing can run.) It uses no libc, and no constants but those in the seal. layout.ld does one thing more: where the
 * data in the file ends within a page, the kernel itself clears the remainder of that page, and kills the process if
 * the page is not there. So the data ends with a page.
 */

#include "seal.h"

#include <elf.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EARLY __attribute__((section(".text.unlikely"), used, noinline, no_stack_protector))

__attribute__((section(".seal"), used)) const struct seal seal = {
    .name = "the seal of this file",
    .self = "/proc/self/exe",
    .damaged = DAMAGED,
};

char **environment;

#ifdef __x86_64__

__asm__(".section .text.unlikely, \"ax\"\n"
        ".globl sealed_start\n"
        "sealed_start:\n"
        "    mov %rsp, %rbx\n"
        "    mov %rbx, %rdi\n"
        "    call check_seal\n"
        "    mov %rbx, %rdi\n"
        "    call size_without_environment\n"
        "    sub %rax, %rsp\n"
        "    mov %rbx, %rdi\n"
        "    mov %rsp, %rsi\n"
        "    call copy_without_environment\n"
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
        "    mov x19, sp\n"
        "    mov x0, x19\n"
        "    bl check_seal\n"
        "    mov x0, x19\n"
        "    bl size_without_environment\n"
        "    sub sp, sp, x0\n"
        "    mov x0, x19\n"
        "    mov x1, sp\n"
        "    bl copy_without_environment\n"
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

/*
 * The stack as the kernel leaves it: the number of arguments, they, 0, the environment, 0, the auxiliary vector. Each
 * function is called once, by the assembly above.
 */
void check_seal(const uintptr_t *stack);
size_t size_without_environment(const uintptr_t *stack);
void copy_without_environment(const uintptr_t *stack, volatile uintptr_t *to);

EARLY static const uintptr_t *
environment_on(const uintptr_t *stack)
{
    return stack + 1 + stack[0] + 1;
}

EARLY static const uintptr_t *
auxiliary_vector_on(const uintptr_t *stack)
{
    const uintptr_t *entry = environment_on(stack);
    while (*entry++)
        continue;
    return entry;
}

/* A relative path is as execve took it: the process is still where it was then. */
EARLY static long
open_for_reading(const char *path)
{
    return call_kernel(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC);
}

EARLY void
check_seal(const uintptr_t *stack)
{
    const struct seal *sealed = &seal;
    __asm__("" : "+r"(sealed)); /* for the compiler not to take what is in it for what is above */

    long file = open_for_reading(sealed->self);
    if (file < 0) {
        const uintptr_t *entry = auxiliary_vector_on(stack);
        while (entry[0] != AT_NULL && entry[0] != AT_EXECFN)
            entry += 2;
        file = entry[0] == AT_EXECFN ? open_for_reading((const char *)entry[1]) : -1;
    }
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

EARLY size_t
size_without_environment(const uintptr_t *stack)
{
    const uintptr_t *first = auxiliary_vector_on(stack);
    const uintptr_t *entry = first;
    while (entry[0] != AT_NULL)
        entry += 2;
    size_t words = 1 + stack[0] + 2 + (size_t)(entry + 2 - first);
    return (words + 1) / 2 * 2 * sizeof *stack; /* the stack's alignment: 16 bytes */
}

/* The copy is volatile, for the compiler not to make calls of memcpy of the loops: that is not there yet. */
EARLY void
copy_without_environment(const uintptr_t *stack, volatile uintptr_t *to)
{
    const uintptr_t *entry = auxiliary_vector_on(stack);
    environment = (char **)environment_on(stack);
    for (uintptr_t count = 1 + stack[0]; count; count--)
        *to++ = *stack++;
    *to++ = 0; /* ends the arguments */
    *to++ = 0; /* and the environment */
    do {
        *to++ = entry[0];
        *to++ = entry[1];
        entry += 2;
    } while (entry[-2] != AT_NULL);
}
