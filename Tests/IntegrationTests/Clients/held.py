#!/usr/bin/python3
"""Holds sessions through the proxy while something happens to the monitor's login, or to the server's room.

    held.py ENGINE PORT REPLICA_PORT PRIMARY_PORT SCENARIO [ARGUMENT]...

SCENARIO: `full FILE` takes every ordinary connection of the replica, looks at the sessions, and gives the connections
back when FILE exists; `wait FILE` looks at the sessions when FILE exists. Each writes `holding` before it waits for
FILE, and a line at the end: how many of the held sessions still worked on their server, and which servers answered new
sessions meanwhile.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

HELD = 5
PATIENCE_SECONDS = 120
# The number of times that the sessions are checked, after new sessions have moved or in total.
LOOKS = 30
# The connections that ordinary users may have, and how many of them are in use. The monitor's do not count, because
# they end.
ROOM = {
    "postgres": """
        select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
            count(*) filter (where usename <> 'monitor')
        from pg_stat_activity where datname is not null""",
    "mariadb": "select @@max_connections, (select count(*) from information_schema.processlist where user = 'app')",
}
ROOM["mysql"] = ROOM["mariadb"]

USER, PASSWORD, DATABASE = "app", "app-secret", "app"


def connect(engine: str, port: int) -> Any:
    if engine == "postgres":
        import psycopg

        return psycopg.connect(
            host="127.0.0.1",
            port=port,
            user=USER,
            password=PASSWORD,
            dbname=DATABASE,
            sslmode="disable",
            connect_timeout=60,
            autocommit=True,
        )
    import pymysql

    return pymysql.connect(
        host="127.0.0.1",
        port=port,
        user=USER,
        password=PASSWORD,
        database=DATABASE,
        connect_timeout=60,
        autocommit=True,
    )


def server(engine: str, connection: Any) -> int:
    cursor = connection.cursor()
    cursor.execute("select inet_server_port()" if engine == "postgres" else "select @@port")
    return int(cursor.fetchone()[0])


class Scene:
    """The held sessions, and the servers that answered new ones."""

    def __init__(self, engine: str, port: int, replica: int, primary: int) -> None:
        self.engine, self.port = engine, port
        self.names = {replica: "replica", primary: "primary"}
        self.replica = replica
        self.held = [connect(engine, port) for _ in range(HELD)]
        self.new: Counter[str] = Counter()

    def look(self) -> str:
        """Opens one new session. Returns the server that answers."""
        try:
            connection = connect(self.engine, self.port)
            who = self.names[server(self.engine, connection)]
            connection.close()
        except Exception as failure:
            who = f"nobody ({failure})".replace("\n", " ")
        self.new[who] += 1
        return who

    def working(self) -> int:
        count = 0
        for connection in self.held:
            with suppress(Exception):
                count += server(self.engine, connection) == self.replica
        return count

    def watch(self) -> int:
        """Checks the sessions for a while. Returns the smallest number of held sessions that worked."""
        least = HELD
        for _ in range(LOOKS):
            least = min(least, self.working())
            self.look()
            time.sleep(0.1)
        return least

    def until(self, what: str, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > end:
                sys.exit(f"never: {what}; {dict(self.new)}")
            time.sleep(0.05)

    def fill(self) -> list[Any]:
        """Takes every connection that an ordinary user can have on the replica, including those that a ping frees."""
        taken = [connect(self.engine, self.replica)]

        def is_full() -> bool:
            cursor = taken[0].cursor()
            cursor.execute(ROOM[self.engine])
            most, ours = map(int, cursor.fetchone())
            if ours < most:
                with suppress(Exception):
                    taken.append(connect(self.engine, self.replica))
            return ours >= most

        self.until("the replica is full", is_full)
        return taken


def main() -> None:
    engine, port, replica, primary, scenario = sys.argv[1:6]
    scene = Scene(engine, int(port), int(replica), int(primary))
    if scenario == "full":
        taken = scene.fill()
        scene.until("new sessions go to the primary", lambda: scene.look() == "primary")
        scene.new.clear()
        least = scene.watch()
        print("holding", flush=True)
        scene.until("the caller has seen it", lambda: os.path.exists(sys.argv[6]))
        for connection in taken:
            connection.close()
        seen = dict(scene.new)
        scene.until("new sessions come back", lambda: scene.look() == "replica")
    else:
        done = sys.argv[6]
        print("holding", flush=True)
        scene.until("the caller has done it", lambda: os.path.exists(done))
        least = scene.watch()
        seen = dict(scene.new)
    print(f"held {least} of {HELD}, new {' '.join(f'{k} {v}' for k, v in sorted(seen.items()))}")


if __name__ == "__main__":
    main()
