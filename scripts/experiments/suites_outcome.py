"""What the tests of a suite ended with, on both sides, and the report about it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .report import table

PASSED, FAILED, SKIPPED, MISSING = "passed", "failed", "skipped", "missing"

Outcomes = dict[str, str]
"""Results by the name of the test."""


@dataclass(frozen=True)
class Address:
    """Where clients of a suite connect to, and how."""

    host: str
    port: int
    user: str
    password: str
    databases: tuple[str, str]
    """Two empty databases."""
    tls: bool
    ca: Path
    certificate: Path
    """A certificate with `key`, for programs that cannot use TLS without their own."""
    key: Path

    @property
    def sslmode(self) -> str:
        """libpq's word for `tls`."""
        return "require" if self.tls else "disable"

    def libpq_environment(self) -> dict[str, str]:
        """The first database, in variables that libpq and asyncpg read."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": self.databases[0],
            "PGSSLMODE": self.sslmode,
        }


@dataclass(frozen=True)
class Suite:
    """A test suite, or a load with its checks."""

    name: str
    title: str
    engine: str
    """What it needs: postgres or mysql."""
    run: Callable[[Address, Path, list[str]], Outcomes]
    """Runs these tests, or all, with a folder for its files."""


@dataclass
class Comparison:
    """The results of one suite with one server."""

    title: str
    server: str
    direct: Outcomes
    proxied: Outcomes
    alone: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """The results, direct and through the proxy, of tests that differed and ran again by themselves."""

    def row(self) -> list[str]:
        """The row of the report."""
        differ = differing(self.direct, self.proxied)
        still = self.proxy_differs()
        notes = "none" if not differ else f"{len(differ)}, of these {len(differ) - len(still)} by chance"
        return [self.title, self.server, str(len(self.direct)), counts(self.direct), counts(self.proxied), notes]

    def lines(self) -> list[str]:
        """A line for each test that differs."""
        lines = []
        for name in differing(self.direct, self.proxied):
            again = "; alone: " + ", ".join(f"{one}/{other}" for one, other in self.alone.get(name, []))
            verdict = "PROXY" if name in self.proxy_differs() else "chance"
            results = f"{self.direct.get(name, MISSING)}/{self.proxied.get(name, MISSING)}"
            lines.append(f"* {verdict}: {self.title}, {self.server}: {name}: {results}{again}")
        return lines

    def proxy_differs(self) -> list[str]:
        """The tests that differ, and have no result by themselves that is the same on both sides."""
        return [name for name in differing(self.direct, self.proxied) if not self._by_chance(name)]

    def _by_chance(self, name: str) -> bool:
        pairs = self.alone.get(name, [])
        return bool({one for one, _ in pairs} & {other for _, other in pairs} - {MISSING})


def differing(direct: Outcomes, proxied: Outcomes) -> list[str]:
    """The tests whose results are not the same on both sides."""
    return [name for name in dict.fromkeys([*direct, *proxied]) if direct.get(name) != proxied.get(name)]


def counts(outcomes: Outcomes) -> str:
    """How many tests passed, failed and were skipped."""
    number = Counter(outcomes.values())
    return f"{number[PASSED]} / {number[FAILED]} / {number[SKIPPED]}"


def report(comparisons: list[Comparison]) -> str:
    """The table, and below it what differs. Results are direct/proxy."""
    headings = ["suite", "server", "tests", "direct: passed / failed / skipped", "through the proxy", "different"]
    lines = [line for comparison in comparisons for line in comparison.lines()]
    return "\n".join([table(headings, [comparison.row() for comparison in comparisons]), "", *lines]).rstrip()
