/*
 * Functions of the C library and of libgcc that this executable overrides, at run time.
 *
 * Contract: the linker puts each __wrap_NAME in the place of NAME (ld's option --wrap), wherever a library calls that.
 */

#include <errno.h>
#include <netdb.h>
#include <nss.h>
#include <stddef.h>
#include <sys/shm.h>

void __wrap___register_frame_info(const void *tables, void *object);
int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found);
int __real_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found);
int __wrap_shmget(key_t key, size_t size, int flags);
const char *__wrap__dl_get_origin(void);

/*
 * libgcc sorts the C library's unwinding tables when a static program starts, for exceptions of C++. There are none.
 */
void
__wrap___register_frame_info(const void *tables, void *object)
{
    (void)tables;
    (void)object;
}

/*
 * Look up names in /etc/hosts and by DNS, which glibc has built in, in every part of the program. /etc/nsswitch.conf
 * may name other ways: shared libraries of the system's own glibc, which crash in a program with another glibc linked
 * in.
 */
int
__wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    __nss_configure_lookup("hosts", "files dns");
    return __real_getaddrinfo(name, service, hints, found);
}

/*
 * glibc asks for the folder of a static program, to load libraries from there. This one loads none, so the folder is
 * unknown, as it is without /proc. Otherwise the length of its name would move everything that is allocated after it,
 * and watched runs in two folders would differ (memory_profile.py).
 */
const char *
__wrap__dl_get_origin(void)
{
    return (const char *)-1; /* NOLINT(performance-no-int-to-ptr): glibc's own value for unknown */
}

/*
 * Only OpenSSL calls shmget. If the kernel is older than Linux 4.8 and refuses getrandom, OpenSSL waits for
 * /dev/random, and notes in a shared-memory segment that it need not wait again (rand_unix.c). The segment would
 * outlive the process. Without it, OpenSSL waits each time.
 */
int
__wrap_shmget(key_t key, size_t size, int flags)
{
    (void)key;
    (void)size;
    (void)flags;
    errno = ENOSYS;
    return -1;
}
