/// What the Glibc module does not import: epoll, accept4, eventfd.
#pragma once

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

/// accept4(2), which the headers keep behind _GNU_SOURCE.
int clinux_accept4(int fd, int flags);

/// pthread_setname_np(3) for the calling thread: at most 15 bytes are kept.
void clinux_name_thread(const char *name);

/// EPOLLET as an unsigned word: the header's value does not fit the enum that Swift imports.
#define CLINUX_EPOLLET 0x80000000u
