"""What the load tells of its clients; docker/load/event.py is where it comes from."""

from dataclasses import dataclass

CLIENT = "client"
TRANSACTION = "transaction"
REPLICA = "replica"
PRIMARY = "primary"


@dataclass(frozen=True)
class Event:
    """An answer, or an error in its place, by the machine's clock."""

    kind: str
    session: int
    started: float
    ended: float
    who: str | None
    error: str | None
    told: bool

    @property
    def seconds(self) -> float:
        return self.ended - self.started
