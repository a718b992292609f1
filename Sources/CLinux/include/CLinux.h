/// Functions of Linux that the Glibc module lacks: epoll, accept4, eventfd, pipe2, pidfd_open, SCM_RIGHTS, SO_PEERCRED,
/// prctl, socket filters.
#pragma once

#include <spawn.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

/// accept4(2), which the headers declare only with _GNU_SOURCE.
int clinux_accept4(int fd, int flags);

/// pipe2(2) with O_CLOEXEC. The headers declare it only with _GNU_SOURCE.
int clinux_pipe(int ends[2]);

/// posix_spawn_file_actions_addclosefrom_np(3), which the headers declare only with _GNU_SOURCE.
int clinux_spawn_close_from(posix_spawn_file_actions_t *actions, int from);

/// pidfd_open(2); -1 with ENOSYS on kernels before 5.3.
int clinux_pidfd(int process);

/// Runs a function on a new detached thread that blocks all signals. Only the first 15 bytes of the name are used. A
/// stack size of 0 is the system's default. Returns 0, or the error number of pthread_create(3).
int clinux_start_thread(const char *name, size_t stack, void (*run)(void *), void *argument);

/// The maximum number of descriptors in one message of a Unix socket: SCM_MAX_FD.
#define CLINUX_MOST_DESCRIPTORS 253

/// sendmsg(2) with descriptors; unix(7). Returns the number of bytes sent, or -1 with errno.
long clinux_send_descriptors(int socket, const void *bytes, size_t size, const int *descriptors, int count);

/// recvmsg(2) with descriptors, which are closed on exec. Returns the number of bytes received, or -1 with errno.
/// Before the call, `count` is the size of `descriptors`, at least CLINUX_MOST_DESCRIPTORS. After it, `count` is the
/// number of descriptors received.
long clinux_receive_descriptors(int socket, void *bytes, size_t size, int *descriptors, int *count);

/// The user ID of the process at the other end of a Unix socket; -1 if it is unknown.
long clinux_peer_user(int socket);

/// Stops an internet socket from receiving anything (socket(7), SO_ATTACH_FILTER), until clinux_thaw. Packets that
/// arrive are dropped, and TCP sends them again. This has no effect on other sockets.
void clinux_freeze(int socket);
void clinux_thaw(int socket);

/// Disables core dumps and debuggers of the same user: PR_SET_DUMPABLE of prctl(2), and RLIMIT_CORE.
void clinux_forbid_dumps(void);

/// EPOLLET as an unsigned number. The value in the header does not fit into the enum that Swift imports.
#define CLINUX_EPOLLET 0x80000000u
