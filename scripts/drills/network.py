"""A network of the drill's own: a loopback on which packets may vanish and nobody else's are touched."""

import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000
TABLE = "failover_drill"


class NoNetwork(Exception):
    """Why there is no network of the drill's own."""


def enter_private_network(server: int | None) -> None:
    """Moves this process into a network namespace, before it starts a thread or a process.

    With `server`, the pid of a server of a laboratory that runs already, it is the server's; otherwise a new one, which
    lasts as long as the last process in it.
    """
    if os.geteuid() != 0:
        raise NoNetwork("needs root")
    if server is None:
        _call("unshare", CLONE_NEWNET)
        _run("ip", "link", "set", "lo", "up")
    elif os.readlink(f"/proc/{server}/ns/net") == os.readlink("/proc/self/ns/net"):
        raise NoNetwork("the laboratory runs on the machine's own loopback already; first: scripts/lab down")
    else:
        namespace = os.open(f"/proc/{server}/ns/net", os.O_RDONLY)
        _call("setns", namespace, CLONE_NEWNET)
        os.close(namespace)
    # Tells now, not in the middle of the drill, whether this kernel can.
    drop_packets(0)
    pass_packets()


def drop_packets(port: int) -> None:
    """From now on every packet to and from the TCP port vanishes; who sends one is not told."""
    chain = f"type filter hook input priority 0; tcp dport {port} drop; tcp sport {port} drop;"
    _run("nft", f"table inet {TABLE} {{ chain vanish {{ {chain} }}; }}")


def pass_packets() -> None:
    """Ends `drop_packets`."""
    _run("nft", "delete", "table", "inet", TABLE)


def _call(function: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc[function](*arguments) != 0:
        raise NoNetwork(f"{function}: {os.strerror(ctypes.get_errno())}")


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode != 0:
        raise NoNetwork(f"{argv[0]}: {done.stderr.strip()}")
