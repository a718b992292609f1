"""The suites of Python's drivers and of Django, and how each is directed to a server."""

import json
import os
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from .laboratory import ROOT
from .process import ExperimentError
from .suites_outcome import FAILED, PASSED, SKIPPED, Address, Outcomes, Suite

FOLDER = ROOT / ".build" / "suites"
SOURCES = FOLDER / "sources"
PYTHON = ["/usr/bin/python3", "-B"]
"""Debian's: mysqlclient is one of its packages."""
LIMIT_SECONDS = 3000


def _psycopg(address: Address, folder: Path, tests: list[str]) -> Outcomes:
    """Without the slow tests: most of them check the types of the sources, the others repeat."""
    dsn = f"host={address.host} port={address.port} user={address.user} password={address.password}"
    dsn += f" dbname={address.databases[0]} sslmode={address.sslmode}"
    options = ["-m", "not slow", f"--test-dsn={dsn}"]
    return _pytest("psycopg", "psycopg3-3.2.6", tests or ["tests"], options, {}, folder)


def _asyncpg(address: Address, folder: Path, tests: list[str]) -> Outcomes:
    """Without the check of its own sources."""
    options = ["--ignore=tests/test__sourcecode.py"]
    return _pytest("asyncpg", "asyncpg-0.32.0", tests or ["tests"], options, address.libpq_environment(), folder)


def _pymysql(address: Address, folder: Path, tests: list[str]) -> Outcomes:
    login: dict[str, object] = {
        "host": address.host,
        "port": address.port,
        "user": address.user,
        "password": address.password,
    }
    encryption: dict[str, object] = {"ssl": {"ca": str(address.ca)}} if address.tls else {"ssl_disabled": True}
    login |= encryption
    first = login | {"database": address.databases[0], "use_unicode": True, "local_infile": True}
    second = login | {"database": address.databases[1]}
    databases = SOURCES / "python-pymysql-1.1.1" / "pymysql" / "tests" / "databases.json"
    databases.write_text(json.dumps([first, second]))
    return _pytest("pymysql", "python-pymysql-1.1.1", tests or ["pymysql/tests"], [], {}, folder)


def _django(backend: str, options: dict[str, object], address: Address, folder: Path, tests: list[str]) -> Outcomes:
    def database(name: str) -> dict[str, object]:
        where = {"HOST": address.host, "PORT": address.port, "USER": address.user, "PASSWORD": address.password}
        return {"ENGINE": f"django.db.backends.{backend}", "NAME": name, "OPTIONS": options, **where}

    first, second = map(database, address.databases)
    settings = {
        "DATABASES": {"default": first, "other": second},
        "SECRET_KEY": "for tests",
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
        "DEFAULT_AUTO_FIELD": "django.db.models.AutoField",
        "USE_TZ": False,
        "TEST_RUNNER": "xmlrunner.extra.djangotestrunner.XMLTestRunner",
        "TEST_OUTPUT_DIR": str(folder),
        "TEST_OUTPUT_FILE_NAME": "results.xml",
    }
    (folder / "suite_settings.py").write_text("".join(f"{key} = {value!r}\n" for key, value in settings.items()))
    source = SOURCES / "django-5.2.19"
    path = ":".join(map(str, (FOLDER / "django", folder, source)))
    argv = [*PYTHON, "tests/runtests.py", "--settings=suite_settings", "--noinput", "--parallel=1"]
    labels = [test for test in tests if " " not in test] or ["backends", "transactions"]
    return _run([*argv, *labels], source, {"PYTHONPATH": path}, folder)


def _django_postgres(address: Address, folder: Path, tests: list[str]) -> Outcomes:
    return _django("postgresql", {"sslmode": address.sslmode}, address, folder, tests)


def _django_mysql(address: Address, folder: Path, tests: list[str]) -> Outcomes:
    return _django("mysql", {"ssl": {"ca": str(address.ca)}} if address.tls else {}, address, folder, tests)


DRIVERS = [
    Suite("psycopg", "psycopg 3.2.6", "postgres", _psycopg),
    Suite("asyncpg", "asyncpg 0.32.0", "postgres", _asyncpg),
    Suite(
        "django-postgres", "Django 5.2.19, `backends` and `transactions`, psycopg 3.2.6", "postgres", _django_postgres
    ),
    Suite("pymysql", "PyMySQL 1.1.1", "mysql", _pymysql),
    Suite("django-mysql", "Django 5.2.19, `backends` and `transactions`, mysqlclient", "mysql", _django_mysql),
]


def _pytest(
    name: str, source: str, tests: list[str], options: list[str], environment: dict[str, str], folder: Path
) -> Outcomes:
    files = [
        "-o",
        f"cache_dir={folder / 'cache'}",
        "-o",
        "junit_family=xunit1",
        f"--junit-xml={folder / 'results.xml'}",
    ]
    # Else it would be the checkout, and the names of the tests could not be asked for.
    root = f"--rootdir={SOURCES / source}"
    argv = [*PYTHON, "-m", "pytest", "-q", root, *files, *options, *tests]
    return _run(argv, SOURCES / source, {"PYTHONPATH": str(FOLDER / name), **environment}, folder)


def _run(argv: list[str], source: Path, environment: dict[str, str], folder: Path) -> Outcomes:
    """Runs a suite in the folder of its source. Returns what is in the file of its results."""
    results = folder / "results.xml"
    results.unlink(missing_ok=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "MYSQL_"))}
    with (folder / "log").open("wb") as log:
        try:
            subprocess.run(
                argv,
                cwd=source,
                env=inherited | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=LIMIT_SECONDS,
            )
        except subprocess.TimeoutExpired as late:
            raise ExperimentError(f"{source.name} took more than {LIMIT_SECONDS} s; see {folder / 'log'}") from late
    return _outcomes(results) if results.exists() else {}


def _outcomes(results: Path) -> Outcomes:
    """The results in a file of JUnit's format. A test with several results failed if one of them is a failure."""
    outcomes: Outcomes = {}
    for case in ElementTree.parse(results).iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = FAILED if kinds & {"failure", "error"} else SKIPPED if "skipped" in kinds else PASSED
        name = _test_name(case.get("file", ""), case.get("classname", ""), case.get("name", ""))
        if outcomes.get(name) != FAILED:
            outcomes[name] = outcome
    return outcomes


def _test_name(file: str, classname: str, name: str) -> str:
    """The name by which the suite can be asked for the test: `file::class::name` for pytest, dotted for Django."""
    module = file.removesuffix(".py").replace("/", ".")
    if not file or not (classname + ".").startswith(module + "."):
        return f"{classname}.{name}"
    classes = classname[len(module) + 1 :].split(".")
    return "::".join([file, *filter(None, classes), name])
