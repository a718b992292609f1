#!/usr/bin/python3
"""Becomes a program that finds a listening socket as systemd passes it: activate.py NOTIFY_SOCKET PROGRAM...

The system chooses the port, which takes the place of 127.0.0.1:0 in the file after --config. It also listens on a
second port that no route has. Another process holds both for as long as the program runs, as systemd does.
"""

import os
import pathlib
import socket
import sys
import time

FIRST = 3  # SD_LISTEN_FDS_START


def main() -> None:
    listeners = []
    for _ in range(2):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listeners.append(listener)
    file = pathlib.Path(sys.argv[sys.argv.index("--config") + 1])
    host, port = listeners[0].getsockname()
    file.write_text(file.read_text().replace("127.0.0.1:0", f"{host}:{port}"))
    for index, descriptor in enumerate([listener.detach() for listener in listeners]):
        if descriptor != FIRST + index:
            os.dup2(descriptor, FIRST + index)
        os.set_inheritable(FIRST + index, True)
    program = os.getpid()
    if os.fork() == 0:
        while os.getppid() == program:
            time.sleep(0.1)
        os._exit(0)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", NOTIFY_SOCKET=sys.argv[1], WATCHDOG_USEC="200000")
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
