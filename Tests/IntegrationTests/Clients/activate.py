#!/usr/bin/python3
"""Becomes a program that finds a listening socket as systemd passes it: activate.py PORT NOTIFY_SOCKET PROGRAM...

Listens on a second port as well, that no route has. Another process holds both for as long as the program runs, as systemd
does.
"""

import os
import socket
import sys
import time

FIRST = 3  # SD_LISTEN_FDS_START


def main() -> None:
    listeners = []
    for port in (int(sys.argv[1]), 0):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        listeners.append(listener.detach())
    for index, descriptor in enumerate(listeners):
        if descriptor != FIRST + index:
            os.dup2(descriptor, FIRST + index)
        os.set_inheritable(FIRST + index, True)
    program = os.getpid()
    if os.fork() == 0:
        while os.getppid() == program:
            time.sleep(0.1)
        os._exit(0)
    os.environ.update(
        LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", NOTIFY_SOCKET=sys.argv[2], WATCHDOG_USEC="200000"
    )
    os.execvp(sys.argv[3], sys.argv[3:])


if __name__ == "__main__":
    main()
