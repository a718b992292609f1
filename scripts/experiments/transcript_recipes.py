"""The recipes of the manual's transcripts: which commands and faults make which block."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass

from .laboratory import ROOT
from .transcript_stage import Stage


@dataclass(frozen=True)
class Recipe:
    """What makes some blocks."""

    blocks: tuple[str, ...]
    play: Callable[[Stage], None]


RECIPES: list[Recipe] = []


def makes(*blocks: str) -> Callable[[Callable[[Stage], None]], Callable[[Stage], None]]:
    """Declares a recipe."""

    def declare(play: Callable[[Stage], None]) -> Callable[[Stage], None]:
        RECIPES.append(Recipe(blocks, play))
        return play

    return declare


FREQUENCIES = """\
monitoring_ping_frequency: 1s
outage_ping_frequency: 500ms
error_ping_frequency: 250ms
fall: 2
admin: {listen: "unix:DIRECTORY/admin.sock"}
"""

USER = "engine: postgres, user: monitor, password: monitor-secret, name: app"
LOGIN = USER + ", host: 127.0.0.1"

ROUTE = (
    FREQUENCIES
    + f"""\
databases:
  default: {{{LOGIN}, port: 15432}}
  slave: {{{LOGIN}, port: 15433}}
services:
  slave: {{type: database, listen: "127.0.0.1:6432"}}
"""
)


@makes("validate")
def _validate(stage: Stage) -> None:
    stage.write(
        """\
rise: 0
databases:
  default: {engine: oracle, host: db1}
  slave: {engine: postgres, hots: db2, host: db2, user: monitor}
services:
  slave: {type: database, listen: here, connect_timeout: soon}
""",
        "ten.yaml",
    )
    stage.block("validate")
    stage.show("failover validate --config ten.yaml")


@makes("ping")
def _ping(stage: Stage) -> None:
    stage.laboratory("--services")
    stage.fault("memcached-2", "kill")
    stage.block("ping")
    stage.show("failover ping --config config/services.yaml", folder=ROOT)
    stage.fault("memcached-2", "start")


@makes("drain", "undrain")
def _drain(stage: Stage) -> None:
    stage.laboratory("postgres")
    stage.write(ROUTE)
    stage.serve()
    with stage.sessions(1, port=6432):
        stage.block("drain")
        stage.show("failover status --config failover.yaml")
        stage.show("failover drain slave --config failover.yaml")
        stage.wait(lambda: "SESSIONS" in stage.run("failover status").stdout, "no status")
        stage.block("undrain")
        stage.show("failover undrain slave --config failover.yaml")
        stage.show("failover events --config failover.yaml")


@makes("reload")
def _reload(stage: Stage) -> None:
    stage.laboratory("postgres")
    stage.write(ROUTE)
    stage.serve()
    changed = ROUTE.replace("name: app", "name: app, ping_timeout: 2s")
    reports = '  reports: {type: database, db_alias: slave, failover_db_alias: default, listen: "127.0.0.1:PORT"}\n'
    stage.block("reload")
    stage.write(changed + reports.replace("PORT", "6433"))
    stage.show("failover reload --config failover.yaml")
    # Another server of the laboratory listens there.
    stage.write(changed + reports.replace("PORT", "15434"))
    stage.show("failover reload --config failover.yaml")


@makes("takeover")
def _takeover(stage: Stage) -> None:
    stage.laboratory("postgres")
    stage.write("takeover_socket: DIRECTORY/takeover.sock\n" + ROUTE)
    stage.serve()
    stage.serve("--takeover", until="took over")
    stage.block("takeover")
    stage.add("$ failover serve --config failover.yaml --takeover")
    stage.add(*stage.log_lines("INFO starting|: listening on=[0-9]|took over"))


@makes("drill")
def _drill(stage: Stage) -> None:
    stage.laboratory("postgres")
    stage.write(ROUTE)
    stage.serve()
    stage.block("drill")
    with stage.sessions(12, port=6432), stage.connecting_clients(4, port=6432):
        stage.show("failover drill slave --for 20s --config failover.yaml")


@makes("nothing-up")
def _nothing_up(stage: Stage) -> None:
    stage.laboratory("postgres")
    mysql = "{engine: mysql, host: 127.0.0.1, user: monitor, password: monitor-secret, port: PORT}"
    route = ROUTE.replace("services:", f"  orders-default: {mysql}\n  orders-slave: {mysql}\nservices:")
    stage.write(
        route.replace("PORT", "1") + "  orders: {type: database, db_alias: orders-slave, "
        'failover_db_alias: orders-default, listen: "127.0.0.1:6306"}\n'
    )
    stage.serve()
    for server in ("postgres-primary", "postgres-replica"):
        stage.fault(server, "kill")
    for alias in ("slave", "default", "orders", "orders-default"):
        stage.wait_for_log(f"CRITICAL {alias} outage.")
    stage.block("nothing-up")
    stage.show("psql 'host=127.0.0.1 port=6432 user=app dbname=app' -c 'select 1'")
    stage.show("mariadb --no-defaults --skip-ssl -h 127.0.0.1 -P 6306 -u app app -e 'select 1'")


@makes("replicas")
def _replicas(stage: Stage) -> None:
    stage.laboratory("postgres")
    replica = f"{{{LOGIN}, port: PORT, role: replica, max_lag: 5s"
    stage.write(
        FREQUENCIES
        + f"""\
databases:
  default: {{{USER}, host: ["127.0.0.1:15432", "127.0.0.1:15433"], role: primary}}
  slave: {replica.replace("PORT", "15433")}}}
  slave-2: {replica.replace("PORT", "15434")}, weight: 2}}
services:
  replicas: {{type: database, db_alias: [slave, slave-2], slow_start: 30s, listen: "127.0.0.1:6432"}}
"""
    )
    stage.serve()

    def served_by() -> str:
        return next(line for line in stage.output("failover status") if line.startswith("  served by"))

    with stage.sessions(6, port=6432):
        stage.block("replicas")
        status = stage.output("failover status")
        stage.add(*status[status.index("ROUTE replicas (postgres) on 127.0.0.1:6432") :][:6], "")
    stage.fault("postgres-replica", "kill")
    stage.wait_for_log("CRITICAL slave outage.")
    stage.add(served_by(), "")
    stage.fault("postgres-replica", "start")
    stage.wait_for_log("slave is back up.")
    stage.fault("postgres-primary", "kill")
    stage.fault("postgres-replica", "promote")
    stage.wait(
        lambda: "served by default (slave: wrong role" in served_by() and "is stale" in served_by(), "no failover"
    )
    stage.add(served_by())
    status = stage.output("failover status")
    stage.add(*status[status.index("ROUTE replicas (postgres) on 127.0.0.1:6432") :][2:6])


@makes("doctor")
def _doctor(stage: Stage) -> None:
    # In addition to a healthy laboratory, if one runs.
    environment = "LAB_NAME=doctor LAB_PORT_OFFSET=100"
    try:
        stage.check(f"{environment} scripts/lab up --broken", folder=ROOT)
        lines = stage.output("failover doctor --config .lab-doctor/broken.yaml", folder=ROOT)
    finally:
        stage.run(f"{environment} scripts/lab down", folder=ROOT)
    first = next(index for index, line in enumerate(lines) if line.startswith("alias slave (postgres"))
    stage.block("doctor")
    stage.add(lines[first])
    for finding in ("lag-hidden", "certificate-ends"):
        stage.add(*_finding(lines[first + 1 :], finding))
    stage.add("…", lines[-1])


def _finding(lines: list[str], name: str) -> list[str]:
    start = next(index for index, line in enumerate(lines) if line.startswith(f"  {name}: "))
    rest = lines[start + 1 :]
    return [lines[start], *itertools.takewhile(lambda line: line.startswith("    "), rest)]


@makes("services-log", "service-event")
def _services(stage: Stage) -> None:
    stage.laboratory("memcached")
    stage.write(
        FREQUENCIES.replace("fall: 2", "fall: 1")
        + """\
services:
  cache: {type: memcached, servers: ["127.0.0.1:11311", "127.0.0.1:11312"]}
  billing: {type: command, ping: [/bin/sh, DIRECTORY/billing]}
notify:
  - {type: command, run: [/bin/sh, -c, "cat >> DIRECTORY/events"], services: [billing], events: [outage]}
"""
    )
    stage.write("[ ! -e DIRECTORY/broken ] || { echo billing is broken; exit 1; }\n", "billing")
    # Before the start: a connection that breaks and one that is refused are different reasons.
    stage.fault("memcached-2", "kill")
    stage.serve()
    stage.wait_for_log("CRITICAL cache outage.")
    (stage.directory / "broken").touch()
    stage.wait_for_log("CRITICAL billing outage.")
    time.sleep(3)
    (stage.directory / "broken").unlink()
    stage.wait_for_log("billing is back up.")
    stage.block("services-log")
    stage.add(*stage.log_lines("(cache|billing) (outage|is back up)"))
    stage.block("service-event")
    stage.wait(lambda: (stage.directory / "events").exists(), "no event")
    stage.add(*(stage.directory / "events").read_text().splitlines()[:1])
    stage.fault("memcached-2", "start")


@makes("demo", "demo-outage")
def _demo(stage: Stage) -> None:
    lines = stage.output("FAILOVER=$(command -v failover) scripts/demo", folder=ROOT)

    def first(text: str, after: int = 0) -> int:
        return next(index for index in range(after, len(lines)) if text in lines[index])

    def queries(begin: int, end: int) -> list[str]:
        return [line for line in lines[begin:end] if " client | " in line]

    killed, started, ended = first("is killed"), first("is started again"), first(" queries, ")
    primary, replica = first(": primary", after=killed), first(": replica", after=started)
    before = queries(0, killed)
    stage.block("demo")
    stage.add(before[-1], lines[killed], lines[primary], lines[started], lines[replica], lines[ended])
    # The proxy's lines and the client's come through two pipes, so the first of the proxy may be late.
    stage.block("demo-outage")
    stage.add(*before[-2:], lines[killed], lines[first("CRITICAL slave outage.")], *queries(primary, ended)[:3], "…")
    stage.add(lines[started], lines[first("slave is back up.")], *queries(replica, ended)[:3], "…", lines[ended])


@makes("share")
def _share(stage: Stage) -> None:
    folder = stage.directory / "share"
    stage.block("share")
    stage.add("$ scripts/share /usr/local/share")
    made = stage.output(f"FAILOVER_BINARY=$(command -v failover) scripts/share {folder}", folder=ROOT)
    stage.add(*(line.replace(str(folder), "/usr/local/share") for line in made))
    stage.add("$ man 5 failover.yaml | grep -A1 '  drain_rate'")
    stage.add(*stage.output(f"MANWIDTH=100 man -M {folder}/man 5 failover.yaml | grep -A1 '  drain_rate'"))
