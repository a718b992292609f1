// What shim.h lists, for Oracle's libmysqlclient. Its calls that do not block
// (https://dev.mysql.com/doc/c-api/9.7/en/c-api-asynchronous-interface.html) leave the waiting to us. Its protocol tracing,
// which is for plugins, tells what happens in between. Some steps of a login block nevertheless: a watch ends them.
#pragma once
#include <arpa/inet.h>
#include <stdarg.h>
#include <string.h>
#include <mysql/client_plugin.h>
#include "watch.h"

#if MYSQL_VERSION_ID < 80400
#error "libmysqlclient 8.4 or newer is needed"
#endif

static inline my_socket failover_mysql_socket(MYSQL *mysql) { return mysql->net.fd; }

// Notes a server's error that the library does not report: 0xff, the code, "#" and an SQL state of five bytes, the text.
// Returns 0 if the packet is none.
static inline int failover_mysql_note_error(const unsigned char *packet, size_t size) {
    struct failover_mysql_waits *waits = failover_mysql_waits();
    if (size < 3 || packet[0] != 0xff) return 0;
    unsigned code = packet[1] | packet[2] << 8;
    // The other codes are the library's.
    if (code < 1000 || (code >= 2000 && code < 3000) || code >= 5000) return 0;
    size_t start = size >= 9 && packet[3] == '#' ? 9 : 3, count = size - start;
    if (count > sizeof waits->refusal - 1) count = sizeof waits->refusal - 1;
    memcpy(waits->refusal, packet + start, count);
    waits->refusal[count] = 0;
    waits->refusal_code = code;
    return 1;
}

// Reads an error packet with the number 1 in place of the greeting, which the library would take for a lost connection.
static inline void failover_mysql_read_refusal(my_socket fd) {
    struct failover_mysql_waits *waits = failover_mysql_waits();
    unsigned char packet[4 + sizeof waits->refusal];
    if (recv(fd, packet, 5, MSG_PEEK | MSG_DONTWAIT) < 5 || packet[3] != 1 || packet[4] != 0xff) return;
    size_t size = 4 + (packet[0] | (size_t)packet[1] << 8 | (size_t)packet[2] << 16), count = 0;
    if (size > sizeof packet) size = sizeof packet;
    while (count < size && failover_mysql_poll(fd, POLLIN) > 0) {
        ssize_t more = recv(fd, packet + count, size - count, MSG_DONTWAIT);
        if (more <= 0) break;
        count += (size_t)more;
    }
    if (count <= 4 || !failover_mysql_note_error(packet + 4, count - 4)) waits->failure = EPROTO;
}

// The tracing interface, 0x0200, as in MySQL's include/mysql/plugin_trace.h, which is not installed.
enum { failover_trace_connected = 2, failover_trace_disconnected = 3, failover_trace_packet_received = 15 };
enum { failover_trace_authenticate = 2 }; // a stage
_Static_assert(MYSQL_CLIENT_TRACE_PLUGIN_INTERFACE_VERSION == 0x0200, "another tracing interface");
struct failover_trace_arguments {
    const char *plugin;
    int command;
    const unsigned char *header;
    size_t header_size;
    const unsigned char *packet;
    size_t packet_size;
};
struct failover_trace {
    MYSQL_CLIENT_PLUGIN_HEADER
    void *(*start)(struct failover_trace *, MYSQL *, int stage);
    void (*stop)(struct failover_trace *, MYSQL *, void *context);
    int (*event)(
        struct failover_trace *, void *context, MYSQL *, int stage, int event, struct failover_trace_arguments);
};

// Shuts the connection down if its greeting is none, if the server has sent too much, or if the time is up.
static inline int failover_mysql_event(
    struct failover_trace *trace, void *context, MYSQL *mysql, int stage, int event,
    struct failover_trace_arguments arguments) {
    (void)trace, (void)context;
    struct failover_mysql_waits *waits = failover_mysql_waits();
    my_socket fd = failover_mysql_socket(mysql);
    if (event == failover_trace_connected) {
        // The library has not read anything yet.
        waits->is_connected = 1;
        failover_watch_begin(fd, waits->deadline);
        if (failover_mysql_connected(fd) < 1) waits->failure = errno ? errno : EPROTO;
        else failover_mysql_read_refusal(fd);
        if (waits->failure || waits->refusal_code) shutdown(fd, SHUT_RDWR);
    } else if (event == failover_trace_disconnected) {
        // The library has closed the descriptor and freed its buffer. In a login it still reads one byte there, from
        // which it then concludes that the login has failed.
        static unsigned char nothing[16];
        mysql->net.read_pos = nothing;
        mysql->net.fd = -1;
    } else if (event == failover_trace_packet_received) {
        failover_mysql_take(arguments.packet_size);
        // A second factor, which no monitoring user has.
        int is_factor = stage == failover_trace_authenticate && arguments.packet_size > 0 && arguments.packet[0] == 2;
        if (waits->bytes == 0) waits->failure = EMSGSIZE;
        else if (is_factor) waits->failure = EPROTO;
        else if (failover_mysql_now() > waits->deadline) waits->failure = ETIMEDOUT;
        if (waits->failure) shutdown(fd, SHUT_RDWR);
        // An error in place of a row the library tells as 2014, "Commands out of sync".
        else if (stage > failover_trace_authenticate) failover_mysql_note_error(arguments.packet, arguments.packet_size);
    }
    return 0;
}

// Returns 0 on success.
static inline int failover_mysql_begin(void) {
    static struct failover_trace trace;
    trace.type = MYSQL_CLIENT_TRACE_PLUGIN;
    trace.interface_version = MYSQL_CLIENT_TRACE_PLUGIN_INTERFACE_VERSION;
    trace.name = "failover";
    trace.author = trace.desc = trace.license = "";
    trace.event = failover_mysql_event;
    MYSQL *mysql = mysql_init(NULL);
    if (!mysql) return 1;
    int is_registered = mysql_client_register_plugin(mysql, (struct st_mysql_client_plugin *)&trace) != NULL;
    mysql_close(mysql);
    return !is_registered || failover_watch_start();
}

static inline void failover_mysql_close(MYSQL *mysql) {
    mysql_close(mysql);
    failover_watch_end();
}

// Limits the time and the bytes of this thread's connection: all waits together end after `milliseconds`, and at most
// `bytes` of packets are read.
static inline void failover_mysql_limit(
    MYSQL *mysql, long long milliseconds, size_t bytes, void (*on_connect)(void *), void *context) {
    failover_mysql_begin_waits(milliseconds, bytes, on_connect, context);
    // For what the library does without giving control back: it looks up a name, and connects to its addresses.
    unsigned seconds = (unsigned)((milliseconds + 999) / 1000);
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &seconds);
    mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
}

// The same, for a connection that is logged in. The watch over it has the new deadline, too.
static inline void failover_mysql_renew(MYSQL *mysql, long long milliseconds, size_t bytes) {
    (void)mysql;
    failover_mysql_begin_waits(milliseconds, bytes, NULL, NULL);
    failover_watch_renew(failover_mysql_waits()->deadline);
}

// Permits no password in clear text. Reconnecting is off by default, and setting that option prints a warning.
static inline void failover_mysql_restrict_login(MYSQL *mysql) {
    char off = 0, on = 1;
    mysql_options(mysql, MYSQL_ENABLE_CLEARTEXT_PLUGIN, &off);
    mysql_options(mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &on);
}

static inline void failover_mysql_use_tls(MYSQL *mysql, enum failover_tls mode, const char *authorities) {
    if (authorities) mysql_options(mysql, MYSQL_OPT_SSL_CA, authorities);
    // The library would ignore them.
    if (authorities && mode == failover_tls_require) mode = failover_tls_verify_ca;
    static const unsigned modes[] = {
        SSL_MODE_DISABLED, SSL_MODE_PREFERRED, SSL_MODE_REQUIRED, SSL_MODE_VERIFY_CA, SSL_MODE_VERIFY_IDENTITY};
    mysql_options(mysql, MYSQL_OPT_SSL_MODE, &modes[mode]);
}

// Notes that the server has closed the connection, which the library may report as a malformed packet (2027) or a
// command at the wrong time (2014).
static inline void failover_mysql_note_end(MYSQL *mysql) {
    unsigned code = mysql_errno(mysql);
    if ((code != 2014 && code != 2027) || failover_mysql_waits()->failure) return;
    char next;
    my_socket fd = failover_mysql_socket(mysql);
    if (fd < 0 || recv(fd, &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0) failover_mysql_waits()->failure = ECONNRESET;
}

// Waits until the library may be able to go on. It does not say what it waits for, so that a wait is also over after a
// time that grows from 1 ms to 50 ms. Returns 0 on failure.
static inline int failover_mysql_turn(MYSQL *mysql, int *milliseconds) {
    struct failover_mysql_waits *waits = failover_mysql_waits();
    long long left = waits->deadline - failover_mysql_now();
    if (left <= 0) {
        waits->failure = ETIMEDOUT;
        return 0;
    }
    struct pollfd entry = {failover_mysql_socket(mysql), POLLIN, 0};
    int ready = poll(&entry, 1, left < *milliseconds ? (int)left : *milliseconds);
    *milliseconds = ready != 0 ? 1 : *milliseconds < 25 ? *milliseconds * 2 : 50;
    return 1;
}

// Connects and logs in. Returns 0 on success.
static inline int failover_mysql_connect(
    MYSQL *mysql, const char *host, const char *user, const char *password, const char *database, unsigned port,
    const char *path) {
    struct failover_mysql_waits *waits = failover_mysql_waits();
    unsigned char address[16];
    // Of a name's addresses, a call that does not block tries only the first.
    if (host && inet_pton(AF_INET, host, address) != 1 && inet_pton(AF_INET6, host, address) != 1)
        return !mysql_real_connect(mysql, host, user, password, database, port, path, 0);
    enum net_async_status status;
    int milliseconds = 1, turns = 0;
    while ((status = mysql_real_connect_nonblocking(mysql, host, user, password, database, port, path, 0)) ==
           NET_ASYNC_NOT_READY) {
        if (waits->failure) {
            // The connection is shut down. The library frees what belongs to a login when it has noticed.
            if (++turns > 100) return 1;
        } else if (mysql_get_connect_nonblocking_stage(mysql) < CONNECT_STAGE_READ_GREETING) {
            // The structure has no descriptor yet, and the library itself waits for a millisecond in each call.
            if (failover_mysql_now() <= waits->deadline) continue;
            waits->failure = ETIMEDOUT;
            return 1;
        } else if (!waits->is_connected) {
            // A library without tracing.
            waits->failure = ENOSYS;
            return 1;
        } else if (!failover_mysql_turn(mysql, &milliseconds)) {
            shutdown(failover_mysql_socket(mysql), SHUT_RDWR);
        }
    }
    if (status == NET_ASYNC_ERROR && mysql_errno(mysql) == 0 && !waits->failure) waits->failure = errno ? errno : EIO;
    return status == NET_ASYNC_ERROR;
}

// Sends a query and waits for the beginning of its answer. Returns 0 on success.
static inline int failover_mysql_query(MYSQL *mysql, const char *query, size_t size) {
    int milliseconds = 1;
    failover_mysql_waits()->refusal_code = 0;
    while (mysql_real_query_nonblocking(mysql, query, size) == NET_ASYNC_NOT_READY)
        if (!failover_mysql_turn(mysql, &milliseconds)) return 1;
    // An error within the definitions of columns is complete, too.
    if (mysql_errno(mysql) == 0) return 0;
    failover_mysql_note_end(mysql);
    return 1;
}

// The next row of an answer; NULL after the last one, or on failure.
static inline MYSQL_ROW failover_mysql_next(MYSQL *mysql, MYSQL_RES *result) {
    MYSQL_ROW row = NULL;
    enum net_async_status status;
    int milliseconds = 1;
    while ((status = mysql_fetch_row_nonblocking(result, &row)) == NET_ASYNC_NOT_READY)
        if (!failover_mysql_turn(mysql, &milliseconds)) {
            shutdown(failover_mysql_socket(mysql), SHUT_RDWR);
            return NULL;
        }
    if (!row) failover_mysql_note_end(mysql);
    return row;
}
