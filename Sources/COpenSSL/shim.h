// What a verified client needs of OpenSSL, and the calls of it that are macros.
#pragma once
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// Asks the server for the certificate of this host name, as its certificates may be many.
static inline int failover_ssl_ask_for(SSL *ssl, const char *name) { return (int)SSL_set_tlsext_host_name(ssl, name); }

// The reason of this thread's oldest error, or NULL; forgets all of them.
static inline const char *failover_ssl_error(void) {
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    ERR_clear_error();
    return reason;
}
