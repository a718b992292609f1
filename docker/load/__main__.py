"""python3 -m load run ENGINE HOST PORT | fill ENGINE HOST PORT | follow | check | pager"""

import sys
from threading import Thread

from . import pager
from .clients import Clients
from .counts import Counts
from .database import Database, database
from .event import Event
from .feed import Feed, check, follow
from .fill import fill
from .sessions import COUNT, OpenSession


def main() -> None:
    """Does what the command line says."""
    match sys.argv[1:]:
        case ["run", engine, host, port]:
            run(engine, database(engine, host, int(port)))
        case ["fill", engine, host, port]:
            fill(database(engine, host, int(port)))
        case ["follow"]:
            follow()
        case ["check"]:
            sys.exit(0 if check() else 1)
        case ["pager"]:
            pager.listen()
        case _:
            sys.exit(__doc__)


def run(name: str, target: Database) -> None:
    """Loads, counts and hands on what happens, for ever."""
    counts = Counts(name)
    feed = Feed()

    def publish(event: Event) -> None:
        counts.add(event)
        feed.publish(event)

    sessions = [OpenSession(number, target, publish) for number in range(1, COUNT + 1)]
    for work in (feed.serve, counts.print_on, *(session.work for session in sessions)):
        Thread(target=work, daemon=True).start()
    Clients(target, publish).come()


if __name__ == "__main__":
    main()
