/*
 * The keys of thread-specific data in the snapshot: overrides_thread_keys.c.
 */

#ifndef OVERRIDES_THREAD_KEYS_H
#define OVERRIDES_THREAD_KEYS_H

/* Note the values that the keys have now, in this thread. */
void keep_thread_values(void);

/* Make the keys of the snapshot, with their values. */
void restore_thread_keys(void);

#endif
