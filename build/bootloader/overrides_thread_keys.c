/*
 * Keys of thread-specific data, which a process makes again as the snapshot has them.
 *
 * Contract: the linker puts each __wrap_NAME in the place of NAME (ld's option --wrap). While the snapshot is recorded,
 * they note each key; keep_thread_values then notes the values. restore_thread_keys makes the same keys in another
 * process, with their values, before it has made any. It ends the process by `fail` if that is not possible.
 *
 * A key is a number that the C library gives out in turn. Variables of CPython and OpenSSL hold these numbers.
 */

#include "overrides_thread_keys.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "ending.h"
#include "heap.h"
#include "recorder.h"
#include "snapshot.h"

/* The keys by their numbers, and their values in the only thread. */
enum { MOST_KEYS = 64 };
static PART_OF_SNAPSHOT struct {
    bool used;
    void (*destructor)(void *);
    void *value;
} keys[MOST_KEYS] = {{false, NULL, NULL}};

int __real_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int __real_pthread_key_delete(pthread_key_t key);
int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int __wrap_pthread_key_delete(pthread_key_t key);

int
__wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    int error = __real_pthread_key_create(key, destructor);
    if (!recording || error)
        return error;
    if (*key >= MOST_KEYS)
        refuse("there are more keys of threads than the snapshot has room for");
    keys[*key].used = true;
    keys[*key].destructor = destructor;
    return 0;
}

int
__wrap_pthread_key_delete(pthread_key_t key)
{
    if (recording && key < MOST_KEYS)
        keys[key].used = false;
    return __real_pthread_key_delete(key);
}

/* Make a key with that number. Free numbers before it are taken first, and noted as spare. */
static void
make_key(pthread_key_t number, bool *spare)
{
    pthread_key_t key;
    do {
        if (__real_pthread_key_create(&key, keys[number].destructor) != 0 || key > number)
            fail("a key of threads has another number than in the snapshot");
        spare[key] = key < number;
    } while (key < number);
    pthread_setspecific(key, keys[number].value);
}

void
restore_thread_keys(void)
{
    bool spare[MOST_KEYS] = {false};
    for (pthread_key_t number = 0; number < MOST_KEYS; number++)
        if (keys[number].used)
            make_key(number, spare);
    for (pthread_key_t number = 0; number < MOST_KEYS; number++)
        if (spare[number])
            __real_pthread_key_delete(number);
}

void
keep_thread_values(void)
{
    for (pthread_key_t number = 0; number < MOST_KEYS; number++)
        if (keys[number].used)
            keys[number].value = pthread_getspecific(number);
}
