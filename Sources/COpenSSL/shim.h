// The parts of OpenSSL that a TLS client needs, and functions for calls that are macros.
#pragma once
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// Asks the server for the certificate of this host name. A server may have several certificates.
static inline int failover_ssl_ask_for(SSL *ssl, const char *name) { return (int)SSL_set_tlsext_host_name(ssl, name); }

// The reason of this thread's oldest error, or NULL. Clears all errors of the thread.
static inline const char *failover_ssl_error(void) {
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    ERR_clear_error();
    return reason;
}

// The TLS session that was created last on this thread, by any library. It is valid until that library frees it.
static inline SSL **failover_ssl_latest(void) {
    static _Thread_local SSL *latest;
    return &latest;
}

static inline void failover_ssl_note(
    void *parent, void *pointer, CRYPTO_EX_DATA *data, int index, long number, void *argument) {
    (void)pointer, (void)data, (void)index, (void)number, (void)argument;
    *failover_ssl_latest() = (SSL *)parent;
}

// From now on each new session is noted: OpenSSL calls the function of each index of application data when it creates a
// session.
static inline int failover_ssl_watch(void) { return SSL_get_ex_new_index(0, NULL, failover_ssl_note, NULL, NULL); }
