// <mysql/mysql.h> of either MariaDB Connector/C or Oracle's libmysqlclient, and functions for the few things in which
// they differ.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <mysql/mysql.h>

#if defined(MARIADB_BASE_VERSION) || defined(MARIADB_PACKAGE_VERSION)
#define FAILOVER_MARIADB 1
#endif

// The TLS modes that Swift passes.
enum failover_tls {
    failover_tls_disable,
    failover_tls_prefer,
    failover_tls_require,
    failover_tls_verify_ca,
    failover_tls_verify_full
};

// The limits and callbacks of this thread's connection.
struct failover_mysql_waits {
    long long deadline; // in milliseconds of CLOCK_MONOTONIC
    void (*on_connect)(void *); // called once, when the connection is established; never with Oracle's library
    void *context;
    size_t bytes; // the number of bytes that may still be read
    const void *first; // sent when the connection is established; never with Oracle's library
    size_t first_size;
};

static inline struct failover_mysql_waits *failover_mysql_waits(void) {
    static _Thread_local struct failover_mysql_waits waits;
    return &waits;
}

static inline long long failover_mysql_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

// Polls until the thread's deadline. A result below 1 means failure, with errno.
static inline int failover_mysql_poll(my_socket fd, short events) {
    struct pollfd entry = {fd, events, 0};
    int ready;
    do {
        long long left = failover_mysql_waits()->deadline - failover_mysql_now();
        // The deadline also applies to a peer that always has another byte.
        if (left <= 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        ready = poll(&entry, 1, left > 1000000000 ? 1000000000 : (int)left);
    } while (ready == 0 || (ready < 0 && errno == EINTR));
    return ready;
}

// Examines the first bytes of a server without taking them. Sets EPROTO if they begin neither a greeting nor an error
// packet, whose number may be 1. The library itself would report a lost connection.
static inline int failover_mysql_peek(my_socket fd) {
    unsigned char head[5];
    ssize_t count = recv(fd, head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
    if (count < 0 && errno != EAGAIN) return -1;
    if (count < (ssize_t)sizeof head) return 1;
    int is_error = head[4] == 0xff && head[3] <= 1, is_greeting = head[4] == 10 && head[3] == 0;
    if (head[2] > 15 || (!is_error && !is_greeting)) {
        errno = EPROTO;
        return -1;
    }
    return 1;
}

#ifdef FAILOVER_MARIADB
// The library exports this function, but does not install the header that declares it. The callback gets everything
// that is read (mode 0) and written.
int ma_pvio_register_callback(
    my_bool is_on, void (*callback)(int mode, MYSQL *mysql, const unsigned char *bytes, size_t count));

// Shuts the connection down if the server has sent too much, or still sends after the deadline.
static inline void failover_mysql_count(int mode, MYSQL *mysql, const unsigned char *bytes, size_t count) {
    (void)bytes;
    struct failover_mysql_waits *waits = failover_mysql_waits();
    // Such a large count is an error, which is a negative number.
    if (mode != 0 || count > (size_t)1 << 40) return;
    waits->bytes -= count < waits->bytes ? count : waits->bytes;
    if (waits->bytes == 0 || failover_mysql_now() > waits->deadline) shutdown(mysql_get_socket(mysql), SHUT_RDWR);
}

// Connector/C calls this to wait for its socket. A result below 1 means failure, with errno.
static inline int failover_mysql_wait(my_socket fd, my_bool is_read, int timeout) {
    (void)timeout;
    // After the connect, the library makes the socket blocking again, and TLS would read from it without calling this
    // function. So it is made non-blocking here. Until the first call after the connect, a short timeout leads here
    // soon.
    int flags = fcntl(fd, F_GETFL);
    if (!(flags & O_NONBLOCK)) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    struct timeval moment = {0, 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof moment);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &moment, sizeof moment);

    int ready = failover_mysql_poll(fd, is_read ? POLLIN : POLLOUT);
    if (ready < 1 || is_read || !failover_mysql_waits()->on_connect) return ready;

    // For a failed connect, the library would report an outdated errno.
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error != 0) {
        errno = error;
        return -1;
    }
    // The library's own option would send these bytes only after the wait for the greeting below. But the server may
    // send its greeting only after it has received them.
    struct failover_mysql_waits *waits = failover_mysql_waits();
    if (waits->first_size && send(fd, waits->first, waits->first_size, MSG_NOSIGNAL) != (ssize_t)waits->first_size) return -1;
    failover_mysql_waits()->on_connect(failover_mysql_waits()->context);
    failover_mysql_waits()->on_connect = NULL;
    ready = failover_mysql_poll(fd, POLLIN);
    return ready < 1 ? ready : failover_mysql_peek(fd);
}
#endif

// Call this once, before the first connection.
static inline void failover_mysql_count_all(void) {
#ifdef FAILOVER_MARIADB
    ma_pvio_register_callback(1, failover_mysql_count);
#endif
}

// Whether the server has sent more than this thread's connection allows. Never with Oracle's library, which only limits
// the size of packets.
static inline int failover_mysql_said_too_much(void) { return failover_mysql_waits()->bytes == 0; }

// Limits the time and the bytes of this thread's connection. With Connector/C, all waits together end after
// `milliseconds`, and at most `bytes` are read. With Oracle's library, each wait ends after that time, rounded up to
// whole seconds.
static inline void failover_mysql_limit(
    MYSQL *mysql, long long milliseconds, size_t bytes, void (*on_connect)(void *), void *context) {
    // One millisecond is added, because now() rounds down. So the caller's own deadline passes first.
    struct failover_mysql_waits waits = {failover_mysql_now() + milliseconds + 1, on_connect, context, bytes, NULL, 0};
    *failover_mysql_waits() = waits;
#ifdef FAILOVER_MARIADB
    mysql_options(mysql, MARIADB_OPT_IO_WAIT, (const void *)failover_mysql_wait);
#else
    unsigned seconds = (unsigned)((milliseconds + 999) / 1000);
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &seconds);
    mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
#endif
}

// Permits the server to ask only for a login: no local file, no password in clear text, no large answer.
static inline void failover_mysql_restrict(MYSQL *mysql) {
    unsigned no_local_file = 0;
    mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no_local_file);
    unsigned long largest = 1 << 20;
    mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &largest);
#ifdef FAILOVER_MARIADB
    my_bool off = 0;
    mysql_options(mysql, MYSQL_OPT_RECONNECT, &off);
    mysql_options(
        mysql, MARIADB_OPT_RESTRICTED_AUTH,
        "mysql_native_password,client_ed25519,caching_sha2_password,sha256_password");
#else
    // Reconnecting is off by default. From 8.0.34 on, setting the option prints a warning.
    char off = 0, on = 1;
    mysql_options(mysql, MYSQL_ENABLE_CLEARTEXT_PLUGIN, &off);
    mysql_options(mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &on);
#endif
}

static inline void failover_mysql_use_tls(MYSQL *mysql, enum failover_tls mode, const char *authorities) {
    if (authorities) mysql_options(mysql, MYSQL_OPT_SSL_CA, authorities);
#ifdef FAILOVER_MARIADB
    // With "enforce", the library uses TLS if the server offers it. With authorities, it also verifies the chain.
    my_bool use = mode != failover_tls_disable;
    my_bool verify = mode == failover_tls_verify_full;
#if MARIADB_PACKAGE_VERSION_ID >= 30400
    // Without this, version 3.4 does not verify the chain either.
    verify = verify || mode == failover_tls_verify_ca;
#endif
    mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &use);
    mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
#else
    static const unsigned modes[] = {
        SSL_MODE_DISABLED, SSL_MODE_PREFERRED, SSL_MODE_REQUIRED, SSL_MODE_VERIFY_CA, SSL_MODE_VERIFY_IDENTITY};
    mysql_options(mysql, MYSQL_OPT_SSL_MODE, &modes[mode]);
#endif
}

// Makes the connection send a PROXY header first, over TCP. The bytes must stay valid until the connection is
// established. Returns nonzero if the library cannot do this, as Oracle's.
static inline int failover_mysql_send_first(const void *bytes, size_t count) {
#ifdef FAILOVER_MARIADB
    failover_mysql_waits()->first = bytes;
    failover_mysql_waits()->first_size = count;
    return 0;
#else
    (void)bytes, (void)count;
    return 1;
#endif
}

// mysql_thread_init(). Its result is a bool in one library and a char in the other; 0 is success.
static inline int failover_mysql_begin_thread(void) { return mysql_thread_init() ? 1 : 0; }

// Shuts the connection down, so that the library does not read the rest of an answer.
static inline void failover_mysql_break_off(MYSQL *mysql) {
#ifdef FAILOVER_MARIADB
    shutdown(mysql_get_socket(mysql), SHUT_RDWR);
#else
    shutdown(mysql->net.fd, SHUT_RDWR);
#endif
}
