"""pgbench and sysbench as suites. Each load is a test: it passes if no transaction failed and the sums are right."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from .suites_outcome import FAILED, PASSED, Address, Outcomes, Suite

PGBENCH_SCALE = 5
TRANSACTIONS, CLIENTS = 500, 8
TABLES, ROWS, EVENTS, THREADS = 2, 10000, 1000, 4

Check = Callable[[str], str | None]
"""Returns what is wrong with the output of a program, or None."""


class _Steps:
    """Programs that run one after the other. Each is a test."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.outcomes: Outcomes = {}
        self._folder = folder
        self._environment = os.environ | environment
        self._log = (folder / "log").open("w")

    def run(self, name: str, argv: list[str], check: Check = lambda _: None) -> None:
        """It passes if the program ends with 0 and the check finds nothing."""
        done = subprocess.run(
            argv,
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        output: str = done.stdout
        problem = f"exit status {done.returncode}" if done.returncode else check(output)
        self.outcomes[name] = FAILED if problem else PASSED
        print(f"== {name}: {problem or PASSED}\n{output}", file=self._log, flush=True)


def _pgbench(address: Address, folder: Path, _: list[str]) -> Outcomes:
    """A single test cannot run by itself: the sums are those of all loads before."""
    steps = _Steps(folder, address.libpq_environment() | {"PGGSSENCMODE": "disable"})
    steps.run("initialize", ["pgbench", "-i", "-q", "-s", str(PGBENCH_SCALE), "--foreign-keys"])
    load = ["pgbench", "-n", "-c", str(CLIENTS), "-j", "2", "-t", str(TRANSACTIONS)]
    for protocol in ("simple", "extended", "prepared"):
        steps.run(f"select only, {protocol}", [*load, "-S", "-M", protocol], _all_processed)
        steps.run(f"TPC-B, {protocol}", [*load, "-M", protocol], _all_processed)
    steps.run("TPC-B, a connection for each transaction", [*load, "-t", "50", "-C"], _all_processed)
    sums = "select (select sum(abalance) from pgbench_accounts), (select sum(tbalance) from pgbench_tellers), "
    sums += "(select sum(bbalance) from pgbench_branches), (select sum(delta) from pgbench_history), count(*) from "
    written = CLIENTS * (3 * TRANSACTIONS + 50)
    steps.run("the sums agree", ["psql", "-XAtqc", sums + "pgbench_history"], lambda text: _sums(text, written))
    return steps.outcomes


def _all_processed(output: str) -> str | None:
    processed = re.search(r"transactions actually processed: (\d+)/(\d+)", output)
    if processed is None or processed[1] != processed[2]:
        return "not all transactions were processed"
    failed = re.search(r"number of failed transactions: (\d+)", output)
    return f"{failed[1]} failed transactions" if failed and failed[1] != "0" else None


def _sums(output: str, written: int) -> str | None:
    *balances, count = output.strip().split("|")
    if len(set(balances)) != 1:
        return f"the sums differ: {balances}"
    return None if int(count) == written else f"{count} transactions of {written} are in the history"


def _sysbench(driver: list[str], environment: dict[str, str], count: list[str], folder: Path) -> Outcomes:
    """`count` is a command that prints the number of rows."""
    steps = _Steps(folder, environment)
    tables = [*driver, f"--tables={TABLES}", f"--table-size={ROWS}"]
    load = [*tables, f"--threads={THREADS}", f"--events={EVENTS}", "--time=0"]
    steps.run("prepare", ["sysbench", *tables, "oltp_read_write", "prepare"])
    for script in ("oltp_read_write", "oltp_read_only", "oltp_point_select", "oltp_write_only"):
        for mode, text in (("auto", "prepared statements"), ("disable", "no prepared statements")):
            argv = ["sysbench", *load, f"--db-ps-mode={mode}", script, "run"]
            steps.run(f"{script}, {text}", argv, _all_events)
    # Each transaction deletes a row and inserts it again.
    steps.run("the number of rows", count, lambda text: None if text.strip() == str(TABLES * ROWS) else text)
    steps.run("cleanup", ["sysbench", *tables, "oltp_read_write", "cleanup"])
    return steps.outcomes


def _all_events(output: str) -> str | None:
    """Deadlocks, "ignored errors", are chance: sysbench repeats the transaction."""
    numbers = {name: int(value) for name, value in re.findall(r"^ +(transactions|reconnects): +(\d+)", output, re.M)}
    wanted = {"transactions": EVENTS, "reconnects": 0}
    return None if numbers == wanted else f"{numbers} instead of {wanted}"


COUNT = "select " + " + ".join(f"(select count(*) from sbtest{number + 1})" for number in range(TABLES))


def _sysbench_postgres(address: Address, folder: Path, _: list[str]) -> Outcomes:
    driver = ["--db-driver=pgsql", f"--pgsql-host={address.host}", f"--pgsql-port={address.port}"]
    driver += [f"--pgsql-user={address.user}", f"--pgsql-password={address.password}"]
    driver += [f"--pgsql-db={address.databases[0]}"]
    return _sysbench(driver, address.libpq_environment(), ["psql", "-XAtqc", COUNT], folder)


def _sysbench_mysql(address: Address, folder: Path, _: list[str]) -> Outcomes:
    driver = ["--db-driver=mysql", f"--mysql-host={address.host}", f"--mysql-port={address.port}"]
    driver += [f"--mysql-user={address.user}", f"--mysql-password={address.password}"]
    driver += [f"--mysql-db={address.databases[0]}"]
    if address.tls:
        # It takes these names in its working directory, and needs a certificate of its own.
        files = {"cacert.pem": address.ca, "client-cert.pem": address.certificate, "client-key.pem": address.key}
        for name, path in files.items():
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to(path)
        driver.append("--mysql-ssl=on")
    where = [f"--host={address.host}", f"--port={address.port}", f"--user={address.user}", address.databases[0]]
    count = ["mysql", "--no-defaults", "--batch", "--skip-column-names", *where, "-e", COUNT]
    return _sysbench(driver, {"MYSQL_PWD": address.password}, count, folder)


LOADS = [
    Suite("pgbench", "pgbench", "postgres", _pgbench),
    Suite("sysbench-postgres", "sysbench 1.0.20", "postgres", _sysbench_postgres),
    Suite("sysbench-mysql", "sysbench 1.0.20", "mysql", _sysbench_mysql),
]
