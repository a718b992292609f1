"""Faults on this machine: signals to the processes of a replica, and packets that vanish in a private network.

The signals are sent from here and not by `scripts/lab fault`, which needs some 0.1 s to start and to look around. A
good relay gets over the fault in that time.
"""

import ctypes
import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .local import Servers
from .play import Fault
from .process import ExperimentError, holds_within

STOP_SECONDS = 5
CLONE_NEWNET = 0x40000000
TABLE = "failover_faults"


@dataclass(frozen=True)
class Replica:
    """The replica while it runs: `pid` is the process ID of its first process."""

    servers: Servers
    pid: int


def _kill(replica: Replica) -> None:
    for process in _freeze(replica.pid):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _stop(replica: Replica) -> None:
    _freeze(replica.pid)


def _shutdown(replica: Replica) -> None:
    os.kill(replica.pid, replica.servers.engine.shutdown)


def _drop(replica: Replica) -> None:
    drop_packets(replica.servers.replica_port)


def _start(replica: Replica) -> None:
    replica.servers.fault("start")


def _continue(replica: Replica) -> None:
    replica.servers.fault("cont")


def _pass(_: Replica) -> None:
    pass_packets()


DROP = Fault("drop", "packets dropped", _drop, _pass, takes_a_while=True)
FAULTS = [
    Fault("kill", "SIGKILL", _kill, _start, first_answer_limit=0.1),
    Fault("stop", "SIGSTOP", _stop, _continue),
    Fault("shutdown", "fast shutdown", _shutdown, _start, first_answer_limit=0.1),
    DROP,
]


def _freeze(pid: int) -> list[int]:
    """Stops every process of a server. Returns their process IDs."""
    os.kill(pid, signal.SIGSTOP)
    # Once the parent has really stopped it forks no more, and the list of its children is complete.
    if not holds_within(STOP_SECONDS, lambda: _state(pid) == "T", 0.001):
        raise ExperimentError(f"process {pid} does not stop")
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGSTOP)
    return [pid, *children]


def _state(pid: int) -> str:
    """The letter of proc(5)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


class NoNetwork(Exception):
    """Why there is no private network."""


def enter_private_network(server: int | None) -> None:
    """Moves this process into a network namespace, before it starts a thread or a process.

    `server` is the process ID of a server of a laboratory that runs already: the namespace is that server's. None
    stands for a new one, which lasts as long as a process in it.
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
    # Shows now, and not during a fault, whether this kernel can drop packets.
    drop_packets(0)
    pass_packets()


def drop_packets(port: int) -> None:
    """From now on every packet to and from the TCP port vanishes. Senders get no error."""
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
