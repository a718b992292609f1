// The parts of OpenSSL that TLS needs, functions for calls that are macros, and the link between a TLS session and its
// socket.
#pragma once
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/types.h>

// Of <sys/socket.h>, which this header must not include: Swift would then miss its constants in the module Glibc.
extern ssize_t recv(int, void *, size_t, int);
extern ssize_t send(int, const void *, size_t, int);
enum { failover_no_signal = 0x4000 };

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

// What both sides of a relay set: no renegotiation, no compression, no cache of sessions, buffers only while they hold
// something, and one system call for a record.
static inline int failover_tls_prepare(SSL_CTX *context, int least_version) {
    SSL_CTX_set_options(
        context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE
                     | SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(
        context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_max_early_data(context, 0);
    return (int)SSL_CTX_set_min_proto_version(context, least_version);
}

// Adds a certificate of an authority that signed the context's own.
static inline int failover_tls_add_chain(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}

static inline int failover_tls_forbid_tickets(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    return SSL_CTX_set_num_tickets(context, 0);
}

// A value that belongs to a context.
static inline int failover_tls_set_owner(SSL_CTX *context, void *owner) { return SSL_CTX_set_app_data(context, owner); }
static inline void *failover_tls_owner(const SSL *ssl) { return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)); }

// A password callback that has none. OpenSSL's own would ask at the terminal.
static inline int failover_tls_no_password(char *buffer, int size, int is_for_writing, void *user) {
    (void)buffer, (void)size, (void)is_for_writing, (void)user;
    return -1;
}

// The key of a session ticket's authenticity; EVP_MAC_CTX_set_params(3).
static inline int failover_tls_set_ticket_key(EVP_MAC_CTX *mac, unsigned char *key, size_t size) {
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key, size),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, parameters);
}

// What a session knows of its socket, beside OpenSSL. OpenSSL's own link would raise SIGPIPE, and cannot begin with
// bytes that the caller has already received.
typedef struct {
    int socket;
    // Bytes that were received before the session began, and how many of them are used.
    unsigned char *early;
    size_t early_count, early_used;
    // The number of further recv(2) calls before other sessions get their turn.
    int turns;
    // errno of the last call that failed; 0 if none has.
    int code;
    // Whether the last recv(2) left nothing.
    unsigned char is_drained;
    // Whether OpenSSL was told to come again: nothing has arrived, or the turns are used up.
    unsigned char is_blocked;
    // Whether the peer has closed its sending direction.
    unsigned char is_ended;
} failover_tls_wire;

static inline int failover_tls_wire_read(BIO *bio, char *bytes, int count) {
    failover_tls_wire *wire = (failover_tls_wire *)BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (wire->early) {
        size_t left = wire->early_count - wire->early_used;
        size_t taken = (size_t)count < left ? (size_t)count : left;
        memcpy(bytes, wire->early + wire->early_used, taken);
        wire->early_used += taken;
        if (taken == left) {
            OPENSSL_free(wire->early);
            wire->early = NULL;
        }
        return (int)taken;
    }
    if (wire->turns <= 0) {
        wire->is_blocked = 1;
        BIO_set_retry_read(bio);
        return -1;
    }
    wire->turns -= 1;
    ssize_t received;
    do received = recv(wire->socket, bytes, (size_t)count, 0);
    while (received < 0 && errno == EINTR);
    wire->is_drained = received < count;
    if (received > 0) return (int)received;
    if (received == 0) {
        wire->is_ended = 1;
    } else if (errno == EAGAIN) {
        wire->is_blocked = 1;
        BIO_set_retry_read(bio);
    } else {
        wire->code = errno;
    }
    return (int)received;
}

static inline int failover_tls_wire_write(BIO *bio, const char *bytes, int count) {
    failover_tls_wire *wire = (failover_tls_wire *)BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t sent;
    do sent = send(wire->socket, bytes, (size_t)count, failover_no_signal);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0) return (int)sent;
    if (errno == EAGAIN) {
        BIO_set_retry_write(bio);
    } else {
        wire->code = errno;
    }
    return -1;
}

static inline long failover_tls_wire_control(BIO *bio, int command, long number, void *pointer) {
    (void)number, (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_EOF: return ((failover_tls_wire *)BIO_get_data(bio))->is_ended;
    default: return 0;
    }
}

static inline int failover_tls_wire_free(BIO *bio) {
    failover_tls_wire *wire = (failover_tls_wire *)BIO_get_data(bio);
    if (wire) OPENSSL_free(wire->early);
    OPENSSL_free(wire);
    return 1;
}

// The kind of link; NULL without memory. Made once, and kept.
static inline BIO_METHOD *failover_tls_wire_kind(void) {
    BIO_METHOD *kind = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "failover");
    if (!kind) return NULL;
    BIO_meth_set_read(kind, failover_tls_wire_read);
    BIO_meth_set_write(kind, failover_tls_wire_write);
    BIO_meth_set_ctrl(kind, failover_tls_wire_control);
    BIO_meth_set_destroy(kind, failover_tls_wire_free);
    return kind;
}

// Gives the session a link to the socket, which stays the caller's; NULL without memory. The link belongs to the session.
static inline failover_tls_wire *failover_tls_attach(
    SSL *ssl, const BIO_METHOD *kind, int socket, const void *early, size_t early_count) {
    BIO *bio = kind ? BIO_new(kind) : NULL;
    failover_tls_wire *wire = (failover_tls_wire *)OPENSSL_zalloc(sizeof *wire);
    unsigned char *copy = early_count ? (unsigned char *)OPENSSL_malloc(early_count) : NULL;
    if (!bio || !wire || (early_count && !copy)) {
        BIO_free(bio);
        OPENSSL_free(wire);
        OPENSSL_free(copy);
        return NULL;
    }
    if (early_count) memcpy(copy, early, early_count);
    wire->socket = socket;
    wire->early = copy;
    wire->early_count = early_count;
    BIO_set_data(bio, wire);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    return wire;
}
