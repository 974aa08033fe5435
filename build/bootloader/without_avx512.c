/*
 * OpenSSL has a second AES-GCM since 3.1, for processors with AVX512: 700 kB of code that encrypts long streams faster.
 * A check sends and receives little. The linker takes these functions instead of that object file's. The first one says
 * that the processor is not capable, so OpenSSL uses its code for AES-NI, as it does on most processors, and calls none
 * of the others.
 */

#include <stdlib.h>

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
