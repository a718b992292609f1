/// What the Glibc module does not import: epoll, accept4, eventfd.
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/// accept4(2), hidden from Swift behind _GNU_SOURCE.
int clinux_accept4(int fd, int flags);

/// EPOLLET as an unsigned word: the header's value does not fit the enum that Swift imports.
#define CLINUX_EPOLLET 0x80000000u
