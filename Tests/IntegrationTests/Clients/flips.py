#!/usr/bin/python3
"""Runs transactions that check themselves while a replica goes down and comes back repeatedly.

    flips.py ENGINE PORT REPLICA_PORT LAB_SCRIPT FLIPS PATIENCE_SECONDS [tls | ended]

Workers connect through the proxy at PORT and do what the server that they reach can do: on the replica two sums that
must agree, on the primary transfers that keep a sum, COPY or LOAD DATA, batches, prepared statements. A session that
ends between two transactions is opened again. One that ends within a transaction on the primary was cut: the proxy may
close the sessions of a dead replica only. A login that the replica was busy with ends with the replica. On a busy
machine a replica that is only slow may count as dead. Prints a summary. Exit status: 1 if anything was cut, refused or
wrong; 3 if nothing was, but the sessions were not all on one server within PATIENCE_SECONDS.

With `tls`, the sessions through the proxy are encrypted, and rest for a second now and then: their server is asked
whether they are in a transaction. With `ended`, they are encrypted, and their TLS ends at the proxy, which reads them:
none needs to rest, and some must read in a message that they should connect again.
"""

import importlib
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import Any

WORKERS = 8
# How often and how long an encrypted session rests.
TRANSACTIONS_BETWEEN_RESTS = 50
REST_SECONDS = 1.5
# How long a transaction is silent now and then: long enough to be taken for a rest.
THINKING_SECONDS = 2.5
# The errors of a login that was in progress on the dead replica; the last two are those of TLS within the login.
LOST_WITH_THE_REPLICA = (
    "slave is down",
    "Lost connection to MySQL server",
    "Connection reset by peer",
    "EOF occurred in violation of protocol",
)


class Watch:
    """What the workers report, and the server that each of them uses."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.counts: Counter[str] = Counter()
        self.wrongs: list[str] = []
        self.late = ""
        self.places: dict[int, str] = {}
        self._lock = threading.Lock()

    def count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    def wrong(self, what: str) -> None:
        with self._lock:
            self.counts["WRONG"] += 1
            self.wrongs.append(what)

    def all_on(self, place: str) -> bool:
        with self._lock:
            return len(self.places) == WORKERS and set(self.places.values()) == {place}


def work(number: int, worker: Any, watch: Watch, rests: bool) -> None:
    """One client: connects, works until its session ends, connects again."""
    while not watch.stopping.is_set():
        watch.places.pop(number, None)
        try:
            session = worker.connect()
        except Exception as failure:
            if any(words in repr(failure) for words in LOST_WITH_THE_REPLICA):
                watch.count("logins lost with the replica")
            else:
                watch.wrong(f"no connection: {failure!r}")
                time.sleep(0.1)
            continue
        try:
            place = session.place()
            watch.places[number] = place
            watch.count(f"sessions on the {place}")
            done = 0
            while not watch.stopping.is_set():
                session.thinking = THINKING_SECONDS if rests and done % TRANSACTIONS_BETWEEN_RESTS == number else 0
                session.transaction(place, number)
                watch.count(f"transactions on the {place}")
                done += 1
                time.sleep(REST_SECONDS if rests and done % TRANSACTIONS_BETWEEN_RESTS == 0 else 0.005)
        except worker.BetweenTransactions as end:
            watch.count("sessions ended between transactions")
            if worker.is_message(end.__cause__):
                watch.count("sessions with a message at the end")
        except worker.WrongAnswer as wrong:
            watch.wrong(str(wrong))
        except Exception as failure:
            if watch.places.get(number) == "primary":
                watch.wrong(f"cut on the primary: {failure!r}")
            watch.count("sessions lost with the replica")
        finally:
            session.close()


def wait(what: str, watch: Watch, place: str, patience: float) -> None:
    deadline = time.monotonic() + patience
    while not watch.all_on(place) and not watch.wrongs:
        if time.monotonic() > deadline:
            watch.late = f"{what}: sessions are at {sorted(watch.places.items())}"
            return
        time.sleep(0.02)


def main() -> None:
    engine, port, replica_port, lab, flips, seconds, *modes = sys.argv[1:]
    patience = float(seconds)
    module = importlib.import_module("postgres_worker" if engine == "postgres" else "mysql_worker")
    worker = module.Worker(int(port), int(replica_port), bool(modes))
    worker.prepare()
    watch = Watch()
    rests = modes == ["tls"]
    threads = [threading.Thread(target=work, args=(n, worker, watch, rests)) for n in range(WORKERS)]
    for thread in threads:
        thread.start()
    wait("at the start", watch, "replica", patience)
    for flip in range(int(flips)):
        subprocess.run([lab, "fault", f"{engine}-replica", "stop"], check=True)
        wait(f"flip {flip}, replica stopped", watch, "primary", patience)
        subprocess.run([lab, "fault", f"{engine}-replica", "cont"], check=True)
        wait(f"flip {flip}, replica goes on", watch, "replica", patience)
        if watch.wrongs or watch.late:
            break
    watch.stopping.set()
    for thread in threads:
        thread.join()
    worker.check(watch.wrong)
    for what, number in sorted(watch.counts.items()):
        print(f"{number:7d} {what}")
    for wrong in watch.wrongs[:10]:
        print(f"WRONG: {wrong}")
    if watch.late:
        print(f"LATE: {watch.late}")
    sys.exit(1 if watch.wrongs else 3 if watch.late else 0)


if __name__ == "__main__":
    main()
