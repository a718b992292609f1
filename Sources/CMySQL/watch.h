// A watch over this process's connections to servers, for a library whose calls may block: at its deadline, a connection
// is shut down, so that the call ends. Needs failover_mysql_now of shim.h.
#pragma once
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct failover_watched {
    int fd; // a duplicate, so that the number stays this connection's; -1 if there is none
    long long deadline; // in milliseconds of CLOCK_MONOTONIC
    struct failover_watched *next;
};

struct failover_watch {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct failover_watched *first;
};

static inline struct failover_watch *failover_watch(void) {
    static struct failover_watch watch = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL};
    return &watch;
}

// This thread's connection.
static inline struct failover_watched *failover_watched(void) {
    static _Thread_local struct failover_watched watched = {-1, 0, NULL};
    return &watched;
}

// Looks at the connections ten times a second while there are any.
static inline void *failover_watch_run(void *unused) {
    struct failover_watch *watch = failover_watch();
    pthread_mutex_lock(&watch->lock);
    for (;;) {
        while (!watch->first) pthread_cond_wait(&watch->changed, &watch->lock);
        long long now = failover_mysql_now();
        for (struct failover_watched *each = watch->first; each; each = each->next)
            if (now > each->deadline) shutdown(each->fd, SHUT_RDWR);
        pthread_mutex_unlock(&watch->lock);
        struct timespec moment = {0, 100000000};
        nanosleep(&moment, NULL);
        pthread_mutex_lock(&watch->lock);
    }
    return unused;
}

// Returns 0 on success.
static inline int failover_watch_start(void) {
    pthread_t thread;
    return pthread_create(&thread, NULL, failover_watch_run, NULL) != 0 || pthread_detach(thread) != 0;
}

// Ends the watch over this thread's connection.
static inline void failover_watch_end(void) {
    struct failover_watch *watch = failover_watch();
    struct failover_watched *watched = failover_watched();
    pthread_mutex_lock(&watch->lock);
    for (struct failover_watched **each = &watch->first; *each; each = &(*each)->next)
        if (*each == watched) {
            *each = watched->next;
            break;
        }
    if (watched->fd >= 0) close(watched->fd);
    watched->fd = -1;
    pthread_mutex_unlock(&watch->lock);
}

// Gives this thread's connection another deadline.
static inline void failover_watch_renew(long long deadline) {
    struct failover_watch *watch = failover_watch();
    pthread_mutex_lock(&watch->lock);
    failover_watched()->deadline = deadline;
    pthread_mutex_unlock(&watch->lock);
}

// Watches this thread's connection from now on.
static inline void failover_watch_begin(int fd, long long deadline) {
    failover_watch_end();
    struct failover_watch *watch = failover_watch();
    struct failover_watched *watched = failover_watched();
    pthread_mutex_lock(&watch->lock);
    watched->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    watched->deadline = deadline;
    if (watched->fd >= 0) {
        watched->next = watch->first;
        watch->first = watched;
        pthread_cond_signal(&watch->changed);
    }
    pthread_mutex_unlock(&watch->lock);
}
