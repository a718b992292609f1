#define _GNU_SOURCE 1
#include "CLinux.h"

#include <sys/prctl.h>
#include <sys/socket.h>

int clinux_accept4(int fd, int flags) { return accept4(fd, 0, 0, flags); }

void clinux_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
