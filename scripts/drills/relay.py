"""The relays that stand before the replica, each with the primary behind it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.laboratory import ROOT
from benchmarks.memcached import free_ports
from benchmarks.process import BenchmarkError, Process

from .session import HOST
from .stand import MYSQL, Stand

SHIPPED_CONFIGURATION = ROOT / "config" / "failover.yaml"
FAILOVER = "failover"
ANSWER_SECONDS = 2


@dataclass(frozen=True)
class Relay:
    """A program that can stand between clients and the two servers: how it is configured and started."""

    name: str
    configuration: Callable[[Stand, int], str]
    """The text of its configuration file, given the port to listen on."""
    command: Callable[[Path], list[str]]
    """The command line, given the path of the configuration file."""

    @contextmanager
    def started(self, stand: Stand, directory: Path) -> Iterator[int]:
        """Runs the relay afresh; yields its port once the replica answers there."""
        [port] = free_ports(1)
        path = directory / f"{self.name}.conf"
        path.write_text(self.configuration(stand, port))
        with Process(self.name, self.command(path), directory / f"{self.name}.log") as process:
            try:
                stand.dial_replica(port, ANSWER_SECONDS).close()
            except BenchmarkError as failure:
                raise process.error(str(failure)) from failure
            yield port


def _haproxy(stand: Stand, port: int, timeouts: str, replica_options: str) -> str:
    return f"""\
defaults
    mode tcp
    timeout client 1h
    timeout server 1h
    {timeouts}
listen replica
    bind {HOST}:{port}
    option {stand.engine.haproxy_check}
    option redispatch
    server replica {HOST}:{stand.replica_port} check {replica_options}
    server primary {HOST}:{stand.primary_port} check backup
"""


def _haproxy_default(stand: Stand, port: int) -> str:
    """What the manual's examples show."""
    return _haproxy(stand, port, "", "")


def _haproxy_tuned(stand: Stand, port: int) -> str:
    """What somebody who read the whole manual would write."""
    options = "inter 1s fall 2 observe layer4 error-limit 1 on-marked-down shutdown-sessions"
    return _haproxy(stand, port, "timeout connect 1s", options)


def _failover(stand: Stand, port: int) -> str:
    """The shipped example, led to the laboratory: hosts, ports and credentials are replaced, nothing else."""
    database = "" if stand.engine is MYSQL else f"name: {stand.client.database}"
    replacements = [
        (r"host: db1\.internal.*\n    port: 5432", f"host: {HOST}\n    port: {stand.primary_port}"),
        (r"host: db2\.internal.*\n    port: 5432", f"host: {HOST}\n    port: {stand.replica_port}"),
        (r"engine: postgres\b", f"engine: {stand.engine.name}"),
        (r"user: monitor\b", f"user: {stand.monitor_user}"),
        (r"password: \{env: MONITOR_PASSWORD\}", f"password: {stand.monitor_password}"),
        (r"name: postgres\b", database),
        (r"listen: 127\.0\.0\.1:6432", f"listen: {HOST}:{port}"),
    ]
    text = SHIPPED_CONFIGURATION.read_text()
    for pattern, replacement in replacements:
        text, count = re.subn(pattern, replacement, text)
        if count == 0:
            raise BenchmarkError(f"{SHIPPED_CONFIGURATION} has nothing like {pattern!r} any more")
    return text


def shipped_ping_timeout() -> float:
    """The `ping_timeout` of the shipped example, in seconds."""
    found = re.search(r"^ +ping_timeout: (\d+)s", SHIPPED_CONFIGURATION.read_text(), re.MULTILINE)
    if found is None:
        raise BenchmarkError(f"{SHIPPED_CONFIGURATION} has no ping_timeout in whole seconds any more")
    return float(found[1])


def relays(failover: Path) -> dict[str, Relay]:
    """All relays, by name; this proxy is run from the binary `failover`."""

    def haproxy(path: Path) -> list[str]:
        return ["haproxy", "-db", "-f", str(path)]

    known = [
        Relay("haproxy-default", _haproxy_default, haproxy),
        Relay("haproxy-tuned", _haproxy_tuned, haproxy),
        Relay(FAILOVER, _failover, lambda path: [str(failover), "serve", "--config", str(path)]),
    ]
    return {relay.name: relay for relay in known}
