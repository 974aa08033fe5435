/*
 * Functions of OpenSSL that this executable overrides.
 *
 * Contract: the linker puts each __wrap_NAME in the place of NAME (ld's option --wrap). It takes all other functions
 * here instead of the object files in libcrypto.a that define them.
 */

#include <openssl/bio.h>
#include <openssl/comp.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "heap.h"

/* OpenSSL's look at the processor, which it takes at the start of a program (declared in none of its headers). */
void OPENSSL_cpuid_setup(void);

SSL_CTX *__wrap_SSL_CTX_new(const SSL_METHOD *method);
SSL_CTX *__real_SSL_CTX_new(const SSL_METHOD *method);
SSL *__wrap_SSL_new(SSL_CTX *context);
SSL *__real_SSL_new(SSL_CTX *context);

/*
 * OpenSSL looks at the processor only when TLS is used: in a virtual machine each such look takes some microseconds.
 * Without it, as in the snapshot, OpenSSL computes the same on any processor, but not as fast.
 */
SSL_CTX *
__wrap_SSL_CTX_new(const SSL_METHOD *method)
{
    if (!recording)
        OPENSSL_cpuid_setup();
    return __real_SSL_CTX_new(method);
}

SSL *
__wrap_SSL_new(SSL_CTX *context)
{
    if (!recording)
        OPENSSL_cpuid_setup();
    return __real_SSL_new(context);
}

/*
 * Since 3.1 OpenSSL has a second AES-GCM for processors with AVX512: 700 kB of code that encrypts long streams faster.
 * A check sends and receives little. The first function says that the processor cannot run it. OpenSSL then uses its
 * code for AES-NI, as on most processors, and calls none of the others.
 */
int ossl_vaes_vpclmulqdq_capable(void);

int
ossl_vaes_vpclmulqdq_capable(void)
{
    return 0;
}

static void
never_called(void)
{
    abort();
}

#define NEVER_CALLED(name) void name(void) __attribute__((alias("never_called")))

NEVER_CALLED(ossl_aes_gcm_init_avx512);
NEVER_CALLED(ossl_aes_gcm_setiv_avx512);
NEVER_CALLED(ossl_aes_gcm_update_aad_avx512);
NEVER_CALLED(ossl_aes_gcm_encrypt_avx512);
NEVER_CALLED(ossl_aes_gcm_decrypt_avx512);
NEVER_CALLED(ossl_aes_gcm_finalize_avx512);
NEVER_CALLED(ossl_gcm_gmult_avx512);

/*
 * Debian 13's OpenSSL can compress TLS certificates (RFC 8879) with zstd: 700 kB of library that a check does not need.
 * A client offers the methods that it has, and a server without a common method sends its certificates as they are.
 * These functions are those of an OpenSSL that is built without zstd.
 */
#if OPENSSL_VERSION_NUMBER < 0x30200000L
COMP_METHOD *COMP_zstd(void);
COMP_METHOD *COMP_zstd_oneshot(void);
const BIO_METHOD *BIO_f_zstd(void);
#endif

/* Declared in no header. */
void ossl_comp_zstd_cleanup(void);

COMP_METHOD *
COMP_zstd(void)
{
    return NULL;
}

COMP_METHOD *
COMP_zstd_oneshot(void)
{
    return NULL;
}

const BIO_METHOD *
BIO_f_zstd(void)
{
    return NULL;
}

void
ossl_comp_zstd_cleanup(void)
{
}
