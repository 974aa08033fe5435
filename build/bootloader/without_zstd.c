/*
 * Debian 13's OpenSSL can compress TLS certificates (RFC 8879) with zstd too: 700 kB of library that a check never
 * needs, since a client offers what it can and servers without a common method send them as they are. These are the
 * functions by which OpenSSL asks for zstd, as they are where it is built without: there is none.
 */

#include <openssl/bio.h>
#include <openssl/comp.h>

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
