/*
 * Functions of the C library and of CPython that would bring something of this process, this machine or this moment
 * into the snapshot.
 *
 * Contract: the linker puts each __wrap_NAME in the place of NAME (ld's option --wrap), wherever a library calls that.
 * While a snapshot is recorded, they return the same in every process, or end the recording by `refuse`. In every other
 * process they pass the call on.
 */

#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>

#include "heap.h"
#include "recorder.h"

/* Seconds since 1970 and since the machine's start, while the snapshot is recorded. */
enum { NOW = 1000000000 };

pthread_t __real_pthread_self(void);
int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __real_gettimeofday(struct timeval *now, void *zone);
time_t __real_time(time_t *now);
ssize_t __real_getrandom(void *bytes, size_t count, unsigned flags);
int __real_getentropy(void *bytes, size_t count);
int __real_uname(struct utsname *found);
int __real_gethostname(char *name, size_t size);
unsigned long __real_PyThread_get_thread_native_id(void);
int __real_stat64(const char *path, struct stat *found);
int __real_lstat64(const char *path, struct stat *found);
int __real_fstat64(int file, struct stat *found);
int __real_fstatat64(int folder, const char *path, struct stat *found, int flags);
pthread_t __wrap_pthread_self(void);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_gettimeofday(struct timeval *now, void *zone);
time_t __wrap_time(time_t *now);
ssize_t __wrap_getrandom(void *bytes, size_t count, unsigned flags);
int __wrap_getentropy(void *bytes, size_t count);
int __wrap_uname(struct utsname *found);
int __wrap_gethostname(char *name, size_t size);
unsigned long __wrap_PyThread_get_thread_native_id(void);
int __wrap_stat64(const char *path, struct stat *found);
int __wrap_lstat64(const char *path, struct stat *found);
int __wrap_fstat64(int file, struct stat *found);
int __wrap_fstatat64(int folder, const char *path, struct stat *found, int flags);

/* The thread's identity is an address of the process. CPython makes numbers of it, and compares them. */
pthread_t
__wrap_pthread_self(void)
{
    return recording ? 1 : __real_pthread_self();
}

/*
 * The number of a thread differs between processes. Python makes an object of it, and even if it keeps none, a large
 * number allocates memory for a while, and a small one does not.
 */
unsigned long
__wrap_PyThread_get_thread_native_id(void)
{
    return recording ? 0 : __real_PyThread_get_thread_native_id();
}

/* Keep only the kind and the size of a file's status. */
static int
without_machine(int error, struct stat *found)
{
    enum { USUAL = 4096 };
    if (recording && !error)
        *found = (struct stat){.st_mode = found->st_mode, .st_size = found->st_size, .st_blksize = USUAL};
    return error;
}

int
__wrap_stat64(const char *path, struct stat *found)
{
    return without_machine(__real_stat64(path, found), found);
}

int
__wrap_lstat64(const char *path, struct stat *found)
{
    return without_machine(__real_lstat64(path, found), found);
}

int
__wrap_fstat64(int file, struct stat *found)
{
    return without_machine(__real_fstat64(file, found), found);
}

int
__wrap_fstatat64(int folder, const char *path, struct stat *found, int flags)
{
    return without_machine(__real_fstatat64(folder, path, found, flags), found);
}

int
__wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    if (!recording)
        return __real_clock_gettime(clock, now);
    *now = (struct timespec){.tv_sec = NOW};
    return 0;
}

int
__wrap_gettimeofday(struct timeval *now, void *zone)
{
    if (!recording)
        return __real_gettimeofday(now, zone);
    *now = (struct timeval){.tv_sec = NOW};
    return 0;
}

time_t
__wrap_time(time_t *now)
{
    if (!recording)
        return __real_time(now);
    if (now)
        *now = NOW;
    return NOW;
}

/*
 * Python's module random seeds a generator when it is imported, by a call that does not wait, and seeds it again in
 * each process (os.register_at_fork). Refuse all other calls.
 */
ssize_t
__wrap_getrandom(void *bytes, size_t count, unsigned flags)
{
    if (!recording)
        return __real_getrandom(bytes, count, flags);
    if (!(flags & GRND_NONBLOCK))
        refuse("the warm-up asked for random bytes, which would be the same in every process");
    memset(bytes, 0, count);
    return (ssize_t)count;
}

int
__wrap_getentropy(void *bytes, size_t count)
{
    if (recording)
        refuse("the warm-up began a random generator, which would be the same in every process");
    return __real_getentropy(bytes, count);
}

/* The machine has no name and its kernel no version: modules ask for them when they are imported. */
int
__wrap_uname(struct utsname *found)
{
    int error = __real_uname(found);
    if (recording && !error)
        found->nodename[0] = found->release[0] = found->version[0] = '\0';
    return error;
}

int
__wrap_gethostname(char *name, size_t size)
{
    if (!recording)
        return __real_gethostname(name, size);
    memset(name, 0, size);
    return 0;
}
