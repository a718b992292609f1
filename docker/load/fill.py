"""Takes every connection that a server has, until standard input ends."""

import sys
import time
from threading import Event, Thread

from .database import Database, Session

RETRY_SECONDS = 0.005
HANDS = 6


def fill(database: Database) -> None:
    """Prints `full` when the server has refused one."""
    ended = Event()
    refused = Event()
    sessions: list[Session] = []
    hands = [Thread(target=_grab, args=(database, sessions, refused, ended), daemon=True) for _ in range(HANDS)]
    for hand in hands:
        hand.start()
    refused.wait()
    print("full", flush=True)
    sys.stdin.read()
    ended.set()
    for hand in hands:
        hand.join()
    for session in list(sessions):
        session.close()
    print(f"{len(sessions)} connections returned", flush=True)


def _grab(database: Database, sessions: list[Session], refused: Event, ended: Event) -> None:
    while not ended.is_set():
        try:
            sessions.append(database.dial())
        except Exception:  # whatever the drivers raise
            refused.set()
            time.sleep(RETRY_SECONDS)
