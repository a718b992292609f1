"""Workers with one connection each, by the drivers that applications use, in clear and with TLS."""

from .held_outage import OUTAGE_SECONDS, HeldOutcome, play_outage
from .held_report import Report, outage_report
from .held_run import Run
from .held_session import Client, clients_of, who
from .held_stand import HeldRoute
from .held_worker import Habits, HeldWorker, WorkerLoad
from .process import say


def play_pool(run: Run) -> Report:
    """One outage for each client of each engine."""
    outcomes: list[HeldOutcome] = []
    for name, servers in run.servers.items():
        for client in clients_of(servers.engine.protocol):
            if client.key in run.options.clients:
                say(f"pool: {name}: {client.title}")
                with run.route(servers) as route:
                    load = workers(route, client, run.options.workers, Habits())
                    outcomes.append(play_outage(route, load, client.title, run.drain))
    habits = Habits()
    title = (
        f"{run.options.workers} workers, one connection each, a read every {habits.between_seconds * 1000:.0f} ms, "
        f"{habits.transactions:.0%} of them in transactions, a pause of {habits.pause_seconds[0]:g} to "
        f"{habits.pause_seconds[1]:g} s about every {habits.pause_every:g} s; "
        f"replica killed for {OUTAGE_SECONDS} s, then back"
    )
    return outage_report(title, outcomes)


def workers(route: HeldRoute, client: Client, count: int, habits: Habits) -> WorkerLoad:
    """So many workers behind the route, all connected."""
    servers = route.servers

    def worker(number: int) -> HeldWorker:
        return HeldWorker(number, lambda: client.dial(servers, route.port), lambda place: who(servers, place), habits)

    return WorkerLoad([worker(number) for number in range(count)], least=count)
