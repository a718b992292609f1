/// What the Glibc module does not import: epoll, accept4, eventfd.
#pragma once

#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

/// accept4(2), which the headers keep behind _GNU_SOURCE.
int clinux_accept4(int fd, int flags);

/// Runs a function on a new detached thread that blocks all signals. The name keeps 15 bytes; a stack of 0 is the
/// system's default. Returns 0 or the error number of pthread_create(3).
int clinux_start_thread(const char *name, size_t stack, void (*run)(void *), void *argument);

/// EPOLLET as an unsigned word: the header's value does not fit the enum that Swift imports.
#define CLINUX_EPOLLET 0x80000000u
