/*
 * The entry of the executable, in place of the C library's _start.
 *
 * Contract: the kernel jumps to sealed_start with the stack that start.h describes. sealed_start calls check_seal,
 * which may end the process (seal.c). Then it calls _start with a copy of the stack whose environment is empty, and
 * `environment` points to the real one. It does not return.
 *
 * The C library reads variables of its own before main (GLIBC_TUNABLES, MALLOC_*), and OpenSSL reads others
 * (OPENSSL_ia32cap). They can make the program crash. So only the program itself gets the environment (launcher.c).
 *
 * None of this may use the C library, which has not started yet. seal.c says why it lies in the first pages.
 */

#include "start.h"

#include <elf.h>
#include <stddef.h>

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
        "    xor %edx, %edx\n" /* the function to call at the exit: as the kernel leaves it, none */
        "    jmp _start\n"
        ".text\n");

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

#else
#error "no entry is written for this architecture"
#endif

/* Each is called once, by the assembly above. */
size_t size_without_environment(const uintptr_t *stack);
void copy_without_environment(const uintptr_t *stack, volatile uintptr_t *to);

/* The size of the copy, in bytes. */
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

/* The copy is volatile, or the compiler would turn the loops into calls of memcpy, which is not there yet. */
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
