#!/usr/bin/python3
"""Holds sessions through the proxy while something happens to the monitor's login, or to the server's room.

    held.py ENGINE PORT REPLICA_PORT PRIMARY_PORT SCENARIO [ARGUMENT]...

SCENARIO: `full FILE` takes every ordinary connection of the replica, looks at the sessions, and gives the connections back
when FILE is there; `wait FILE` looks at the sessions when FILE is there. Each writes `holding` before it waits for FILE, and
a line in the end: how many of the held sessions still worked on the server that they were on, and who answered the new
sessions meanwhile.
"""

import os
import sys
import time
from collections import Counter

HELD = 5
PATIENCE_SECONDS = 120
# For so long after new sessions have moved, or in all, the sessions are looked at.
LOOKS = 30
# The connections that ordinary users may have, and how many of those there are that are not the monitor's, which go.
ROOM = {
    "postgres": """
        select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
            count(*) filter (where usename <> 'monitor')
        from pg_stat_activity where datname is not null""",
    "mariadb": "select @@max_connections, (select count(*) from information_schema.processlist where user = 'app')",
}

USER, PASSWORD, DATABASE = "app", "app-secret", "app"


def connect(engine: str, port: int):
    if engine == "postgres":
        import psycopg

        return psycopg.connect(
            host="127.0.0.1", port=port, user=USER, password=PASSWORD, dbname=DATABASE, sslmode="disable",
            connect_timeout=60, autocommit=True)
    import pymysql

    return pymysql.connect(
        host="127.0.0.1", port=port, user=USER, password=PASSWORD, database=DATABASE, connect_timeout=60,
        autocommit=True)


def server(engine: str, connection) -> int:
    cursor = connection.cursor()
    cursor.execute("select inet_server_port()" if engine == "postgres" else "select @@port")
    return int(cursor.fetchone()[0])


class Scene:
    def __init__(self, engine: str, port: int, replica: int, primary: int) -> None:
        self.engine, self.port = engine, port
        self.names = {replica: "replica", primary: "primary"}
        self.replica = replica
        self.held = [connect(engine, port) for _ in range(HELD)]
        self.new: Counter[str] = Counter()

    def look(self) -> str:
        """Opens one new session: who answers."""
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
            try:
                count += server(self.engine, connection) == self.replica
            except Exception:
                pass
        return count

    def watch(self) -> int:
        """Looks for a while; the least number of held sessions that worked."""
        least = HELD
        for _ in range(LOOKS):
            least = min(least, self.working())
            self.look()
            time.sleep(0.1)
        return least

    def until(self, what: str, condition) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > end:
                sys.exit(f"never: {what}; {dict(self.new)}")
            time.sleep(0.05)

    def fill(self) -> list:
        """Takes every connection that an ordinary user can have of the replica, also those that a ping leaves."""
        taken = [connect(self.engine, self.replica)]

        def is_full() -> bool:
            cursor = taken[0].cursor()
            cursor.execute(ROOM[self.engine])
            most, ours = cursor.fetchone()
            if ours < most:
                try:
                    taken.append(connect(self.engine, self.replica))
                except Exception:
                    pass
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
