/// What the Glibc module does not import: epoll, accept4, eventfd, pipe2, pidfd_open, SCM_RIGHTS, SO_PEERCRED, prctl,
/// socket filters.
#pragma once

#include <spawn.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

/// accept4(2), which the headers keep behind _GNU_SOURCE.
int clinux_accept4(int fd, int flags);

/// pipe2(2), which the headers keep behind _GNU_SOURCE, with O_CLOEXEC.
int clinux_pipe(int ends[2]);

/// posix_spawn_file_actions_addclosefrom_np(3), which the headers keep behind _GNU_SOURCE.
int clinux_spawn_close_from(posix_spawn_file_actions_t *actions, int from);

/// pidfd_open(2); -1 with ENOSYS on kernels before 5.3.
int clinux_pidfd(int process);

/// Runs a function on a new detached thread that blocks all signals. The name keeps 15 bytes; a stack of 0 is the
/// system's default. Returns 0 or the error number of pthread_create(3).
int clinux_start_thread(const char *name, size_t stack, void (*run)(void *), void *argument);

/// Descriptors that one message of a Unix socket may carry: SCM_MAX_FD.
#define CLINUX_MOST_DESCRIPTORS 253

/// sendmsg(2) with descriptors, unix(7): the bytes sent, or -1 with errno.
long clinux_send_descriptors(int socket, const void *bytes, size_t size, const int *descriptors, int count);

/// recvmsg(2) with descriptors, which are closed on exec: the bytes received, or -1 with errno. `count` is the room in
/// `descriptors`, at least CLINUX_MOST_DESCRIPTORS, and then how many came.
long clinux_receive_descriptors(int socket, void *bytes, size_t size, int *descriptors, int *count);

/// The user of the process at the other end of a Unix socket; -1 if that cannot be told.
long clinux_peer_user(int socket);

/// Has an internet socket receive nothing more, socket(7), SO_ATTACH_FILTER: what arrives is dropped, and comes again by TCP.
/// Other sockets ignore it.
void clinux_freeze(int socket);
void clinux_thaw(int socket);

/// Forbids memory dumps and debuggers of the same user: PR_SET_DUMPABLE of prctl(2), and RLIMIT_CORE.
void clinux_forbid_dumps(void);

/// EPOLLET as an unsigned word: the header's value does not fit the enum that Swift imports.
#define CLINUX_EPOLLET 0x80000000u
