"""A name server that answers what a file says: name_server.py ADDRESS ANSWER LOG

Listens on port 53 of ADDRESS. The file ANSWER holds `nxdomain`, `servfail`, `silence`, or IPv4 addresses with spaces
between them: the answer for every name, in this order. Each question adds a line to the file LOG, which exists as soon
as the server listens. It ends with the process that started it.
"""

import os
import socket
import struct
import sys
from typing import TextIO

NXDOMAIN, SERVFAIL, TYPE_A = 3, 2, 1


def main() -> None:
    address, answer_path, log_path = sys.argv[1:]
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))
    server.settimeout(1)
    parent = os.getppid()
    with open(log_path, "a", buffering=1) as log:
        while os.getppid() == parent:
            try:
                question, client = server.recvfrom(4096)
            except TimeoutError:
                continue
            with open(answer_path) as file:
                answer = file.read().split()
            if len(question) >= 17 and (reply := replied(question, answer, log)):
                server.sendto(reply, client)


def replied(question: bytes, answer: list[str], log: TextIO) -> bytes | None:
    """The reply to a question, None for silence. Writes the line of the log."""
    end = 12
    while question[end] != 0:
        end += question[end] + 1
    end += 5
    kind = struct.unpack(">H", question[end - 4 : end - 2])[0]
    log.write(f"{kind} {' '.join(answer)}\n")
    if answer == ["silence"]:
        return None
    code = {"nxdomain": NXDOMAIN, "servfail": SERVFAIL}.get(answer[0], 0)
    found = answer if code == 0 and kind == TYPE_A else []
    head = struct.pack(">HHHHHH", struct.unpack(">H", question[:2])[0], 0x8180 | code, 1, len(found), 0, 0)
    records = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", TYPE_A, 1, 0, 4) + socket.inet_aton(one) for one in found)
    return head + question[12:end] + records


if __name__ == "__main__":
    main()
