// What shim.h lists, for Oracle's libmysqlclient from version 8.0.16 on. Its calls that do not block
// (https://dev.mysql.com/doc/c-api/9.7/en/c-api-asynchronous-interface.html) leave the waiting to us, and its protocol
// tracing, which is for plugins, tells what happens in between.
#pragma once
#include <stdarg.h>
#include <string.h>
#include <mysql/client_plugin.h>

static inline my_socket failover_mysql_socket(MYSQL *mysql) { return mysql->net.fd; }

// Reads an error packet with the number 1 in place of the greeting, which the library would take for a lost connection.
static inline void failover_mysql_read_refusal(my_socket fd) {
    struct failover_mysql_waits *waits = failover_mysql_waits();
    unsigned char packet[4 + sizeof waits->refusal] = {0};
    if (recv(fd, packet, 5, MSG_PEEK | MSG_DONTWAIT) < 5 || packet[3] != 1 || packet[4] != 0xff) return;
    size_t size = 4 + (packet[0] | (size_t)packet[1] << 8 | (size_t)packet[2] << 16), count = 0;
    if (size > sizeof packet - 1) size = sizeof packet - 1;
    while (count < size && failover_mysql_poll(fd, POLLIN) > 0) {
        ssize_t more = recv(fd, packet + count, size - count, MSG_DONTWAIT);
        if (more <= 0) break;
        count += (size_t)more;
    }
    if (count < 7) return;
    // The code, then "#" and an SQL state of five bytes, then the text.
    waits->refusal_code = packet[5] | packet[6] << 8;
    memcpy(waits->refusal, packet + (count >= 13 && packet[7] == '#' ? 13 : 7), sizeof waits->refusal - 9);
}

// The tracing interface, 0x0200, as in MySQL's include/mysql/plugin_trace.h, which is not installed.
enum { failover_trace_connected = 2, failover_trace_packet_received = 15 };
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

// Shuts the connection down if its greeting is none, or if the server has sent too much.
static inline int failover_mysql_event(
    struct failover_trace *trace, void *context, MYSQL *mysql, int stage, int event,
    struct failover_trace_arguments arguments) {
    (void)trace, (void)context, (void)stage;
    struct failover_mysql_waits *waits = failover_mysql_waits();
    my_socket fd = failover_mysql_socket(mysql);
    int must_end = 0;
    if (event == failover_trace_connected) {
        // The library has not read anything yet.
        if (failover_mysql_connected(fd) < 1) waits->failure = errno ? errno : EPROTO;
        else failover_mysql_read_refusal(fd);
        must_end = waits->failure || waits->refusal_code;
    } else if (event == failover_trace_packet_received) {
        waits->bytes -= arguments.packet_size < waits->bytes ? arguments.packet_size : waits->bytes;
        must_end = waits->bytes == 0;
        if (must_end) waits->failure = EMSGSIZE;
    }
    if (must_end) shutdown(fd, SHUT_RDWR);
    return 0;
}

static inline void failover_mysql_begin(void) {
    static struct failover_trace trace;
    trace.type = MYSQL_CLIENT_TRACE_PLUGIN;
    trace.interface_version = MYSQL_CLIENT_TRACE_PLUGIN_INTERFACE_VERSION;
    trace.name = "failover";
    trace.author = trace.desc = trace.license = "";
    trace.event = failover_mysql_event;
    MYSQL *mysql = mysql_init(NULL);
    if (!mysql) return;
    mysql_client_register_plugin(mysql, (struct st_mysql_client_plugin *)&trace);
    mysql_close(mysql);
}

// Limits the time and the bytes of this thread's connection: all waits together end after `milliseconds`, and at most
// `bytes` of packets are read.
static inline void failover_mysql_limit(
    MYSQL *mysql, long long milliseconds, size_t bytes, void (*on_connect)(void *), void *context) {
    failover_mysql_begin_waits(milliseconds, bytes, on_connect, context);
    // For what the library does without giving control back: it closes a connection.
    unsigned seconds = (unsigned)((milliseconds + 999) / 1000);
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &seconds);
    mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
}

// Permits the server to ask only for a login: no local file, no password in clear text, no large answer. Reconnecting
// is off by default; from 8.0.34 on, setting the option prints a warning.
static inline void failover_mysql_restrict(MYSQL *mysql) {
    unsigned no_local_file = 0;
    mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no_local_file);
    unsigned long largest = 1 << 20;
    mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &largest);
    char off = 0, on = 1;
    mysql_options(mysql, MYSQL_ENABLE_CLEARTEXT_PLUGIN, &off);
    mysql_options(mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &on);
}

static inline void failover_mysql_use_tls(MYSQL *mysql, enum failover_tls mode, const char *authorities) {
    if (authorities) mysql_options(mysql, MYSQL_OPT_SSL_CA, authorities);
    static const unsigned modes[] = {
        SSL_MODE_DISABLED, SSL_MODE_PREFERRED, SSL_MODE_REQUIRED, SSL_MODE_VERIFY_CA, SSL_MODE_VERIFY_IDENTITY};
    mysql_options(mysql, MYSQL_OPT_SSL_MODE, &modes[mode]);
}

// Notes that the server has closed the connection, which the library may report as a malformed packet or a command at
// the wrong time. It may have closed the descriptor.
static inline void failover_mysql_note_end(MYSQL *mysql) {
    unsigned code = mysql_errno(mysql);
    if (code < 2000 || code >= 3000 || failover_mysql_waits()->failure) return;
    char next;
    ssize_t count = recv(failover_mysql_socket(mysql), &next, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN)) failover_mysql_waits()->failure = ECONNRESET;
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
    enum net_async_status status;
    int milliseconds = 1;
    while ((status = mysql_real_connect_nonblocking(mysql, host, user, password, database, port, path, 0)) ==
           NET_ASYNC_NOT_READY) {
        // Until the connection is established, its structure has no descriptor, and the library itself waits for a
        // millisecond in each call.
        if (mysql_get_connect_nonblocking_stage(mysql) >= CONNECT_STAGE_READ_GREETING) {
            if (!failover_mysql_turn(mysql, &milliseconds)) return 1;
        } else if (failover_mysql_now() > failover_mysql_waits()->deadline) {
            failover_mysql_waits()->failure = ETIMEDOUT;
            return 1;
        }
    }
    return status == NET_ASYNC_ERROR;
}

// Sends a query and waits for the beginning of its answer. Returns 0 on success.
static inline int failover_mysql_query(MYSQL *mysql, const char *query, size_t size) {
    enum net_async_status status;
    int milliseconds = 1;
    while ((status = mysql_real_query_nonblocking(mysql, query, size)) == NET_ASYNC_NOT_READY)
        if (!failover_mysql_turn(mysql, &milliseconds)) return 1;
    if (status == NET_ASYNC_ERROR) failover_mysql_note_end(mysql);
    return status == NET_ASYNC_ERROR;
}

// The answer to a query, whose rows are still to be read; NULL if it has none, or on failure.
static inline MYSQL_RES *failover_mysql_answer(MYSQL *mysql) {
    MYSQL_RES *answer = mysql_use_result(mysql);
    if (!answer) failover_mysql_note_end(mysql);
    return answer;
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
