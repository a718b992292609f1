// <mysql/mysql.h> of either MariaDB Connector/C or Oracle's libmysqlclient, and functions for the things in which they
// differ. mariadb.h and oracle.h define the same functions, each for its library:
//
// * failover_mysql_begin: call it once, before the first connection
// * failover_mysql_close: closes a connection
// * failover_mysql_limit, failover_mysql_renew, failover_mysql_restrict_login, failover_mysql_use_tls: options of a connection
// * failover_mysql_connect, failover_mysql_query, failover_mysql_next: what waits for the server
// * failover_mysql_socket: the descriptor of a connection
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <mysql/mysql.h>

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
    void (*on_connect)(void *); // called once, when the connection is established
    void *context;
    size_t bytes; // the number of bytes that may still be read
    const void *first; // sent when the connection is established
    size_t first_size;
    // With Oracle's library only, which does not know of them:
    int is_connected; // whether the connection has been established
    int failure; // the errno of a wait that failed; otherwise 0
    unsigned refusal_code; // the code of a server's error; otherwise 0
    char refusal[512]; // the text of that error
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

// For a connection that has just been established: sends the first bytes, reports it, and examines the beginning of the
// greeting when it is there. A result below 1 means failure, with errno.
static inline int failover_mysql_connected(my_socket fd) {
    struct failover_mysql_waits *waits = failover_mysql_waits();
    // The server may send its greeting only after it has received these bytes.
    if (waits->first_size && send(fd, waits->first, waits->first_size, MSG_NOSIGNAL) != (ssize_t)waits->first_size) return -1;
    if (waits->on_connect) waits->on_connect(waits->context);
    waits->on_connect = NULL;
    int ready = failover_mysql_poll(fd, POLLIN);
    return ready < 1 ? ready : failover_mysql_peek(fd);
}

// Counts bytes that have been read.
static inline void failover_mysql_take(size_t count) {
    struct failover_mysql_waits *waits = failover_mysql_waits();
    waits->bytes -= count < waits->bytes ? count : waits->bytes;
}

// Whether the server has sent more than this thread's connection allows.
static inline int failover_mysql_said_too_much(void) { return failover_mysql_waits()->bytes == 0; }

// What failed without the library's knowledge: the errno of a wait, otherwise 0, and a server's error.
static inline int failover_mysql_failure(void) { return failover_mysql_waits()->failure; }
static inline unsigned failover_mysql_refusal_code(void) { return failover_mysql_waits()->refusal_code; }
static inline const char *failover_mysql_refusal(void) { return failover_mysql_waits()->refusal; }

// Makes this thread's connection send these bytes first, over TCP: a PROXY header. They must stay valid until the
// connection is established.
static inline void failover_mysql_send_first(const void *bytes, size_t count) {
    failover_mysql_waits()->first = bytes;
    failover_mysql_waits()->first_size = count;
}

// Begins this thread's limits: `milliseconds` for all waits together, and `bytes` to read.
static inline void failover_mysql_begin_waits(
    long long milliseconds, size_t bytes, void (*on_connect)(void *), void *context) {
    // One millisecond is added, because now() rounds down. So the caller's own deadline passes first.
    struct failover_mysql_waits waits = {0};
    waits.deadline = failover_mysql_now() + milliseconds + 1;
    waits.on_connect = on_connect;
    waits.context = context;
    waits.bytes = bytes;
    *failover_mysql_waits() = waits;
}

// mysql_thread_init(). Its result is a bool in one library and a char in the other; 0 is success.
static inline int failover_mysql_begin_thread(void) { return mysql_thread_init() ? 1 : 0; }

// Which library it is.
#if defined(MARIADB_BASE_VERSION) || defined(MARIADB_PACKAGE_VERSION)
#include "mariadb.h"
static inline int failover_mysql_is_of_oracle(void) { return 0; }
#else
#include "oracle.h"
static inline int failover_mysql_is_of_oracle(void) { return 1; }
#endif

// Permits the server to ask only for a login: no local file, no password in clear text, no large answer.
static inline void failover_mysql_restrict(MYSQL *mysql) {
    unsigned no_local_file = 0;
    mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no_local_file);
    unsigned long largest = 1 << 20;
    mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &largest);
    failover_mysql_restrict_login(mysql);
}

// Shuts the connection down, so that the library does not read the rest of an answer.
static inline void failover_mysql_break_off(MYSQL *mysql) { shutdown(failover_mysql_socket(mysql), SHUT_RDWR); }
