// What shim.h lists, for MariaDB Connector/C.
#pragma once

// The library exports this function, but does not install the header that declares it. The callback gets everything
// that is read (mode 0) and written.
int ma_pvio_register_callback(
    my_bool is_on, void (*callback)(int mode, MYSQL *mysql, const unsigned char *bytes, size_t count));

static inline my_socket failover_mysql_socket(MYSQL *mysql) { return mysql_get_socket(mysql); }

// Shuts the connection down if the server has sent too much, or still sends after the deadline.
static inline void failover_mysql_count(int mode, MYSQL *mysql, const unsigned char *bytes, size_t count) {
    (void)bytes;
    struct failover_mysql_waits *waits = failover_mysql_waits();
    // Such a large count is an error, which is a negative number.
    if (mode != 0 || count > (size_t)1 << 40) return;
    failover_mysql_take(count);
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
    // The library's own option would send the first bytes only after the wait for the greeting.
    return failover_mysql_connected(fd);
}

// Returns 0 on success.
static inline int failover_mysql_begin(void) {
    ma_pvio_register_callback(1, failover_mysql_count);
    return 0;
}

static inline void failover_mysql_close(MYSQL *mysql) { mysql_close(mysql); }

// Limits the time and the bytes of this thread's connection: all waits together end after `milliseconds`, and at most
// `bytes` are read.
static inline void failover_mysql_limit(
    MYSQL *mysql, long long milliseconds, size_t bytes, void (*on_connect)(void *), void *context) {
    failover_mysql_begin_waits(milliseconds, bytes, on_connect, context);
    mysql_options(mysql, MARIADB_OPT_IO_WAIT, (const void *)failover_mysql_wait);
}

// The same, for a connection that is logged in.
static inline void failover_mysql_renew(MYSQL *mysql, long long milliseconds, size_t bytes) {
    (void)mysql;
    failover_mysql_begin_waits(milliseconds, bytes, NULL, NULL);
}

// Permits no password in clear text, and no new connection.
static inline void failover_mysql_restrict_login(MYSQL *mysql) {
    my_bool off = 0;
    mysql_options(mysql, MYSQL_OPT_RECONNECT, &off);
    mysql_options(
        mysql, MARIADB_OPT_RESTRICTED_AUTH,
        "mysql_native_password,client_ed25519,caching_sha2_password,sha256_password");
}

static inline void failover_mysql_use_tls(MYSQL *mysql, enum failover_tls mode, const char *authorities) {
    if (authorities) mysql_options(mysql, MYSQL_OPT_SSL_CA, authorities);
    // With "enforce", the library uses TLS if the server offers it. With authorities, it also verifies the chain.
    my_bool use = mode != failover_tls_disable;
    my_bool verify = mode == failover_tls_verify_full;
#if MARIADB_PACKAGE_VERSION_ID >= 30400
    // Without this, version 3.4 does not verify the chain either.
    verify = verify || mode == failover_tls_verify_ca;
#endif
    mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &use);
    mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
}

// Connects and logs in. Returns 0 on success.
static inline int failover_mysql_connect(
    MYSQL *mysql, const char *host, const char *user, const char *password, const char *database, unsigned port,
    const char *path) {
    return !mysql_real_connect(mysql, host, user, password, database, port, path, 0);
}

// Sends a query and waits for the beginning of its answer. Returns 0 on success.
static inline int failover_mysql_query(MYSQL *mysql, const char *query, size_t size) {
    return mysql_real_query(mysql, query, size);
}

// The next row of an answer; NULL after the last one, or on failure.
static inline MYSQL_ROW failover_mysql_next(MYSQL *mysql, MYSQL_RES *result) {
    (void)mysql;
    return mysql_fetch_row(result);
}
