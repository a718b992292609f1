#include "CLinux.h"

int clinux_accept4(int fd, int flags) { return accept4(fd, 0, 0, flags); }
