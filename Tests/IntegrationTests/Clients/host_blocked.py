"""Checks whether clients that leave before they log in get the proxy's host blocked (MariaDB's max_connect_errors).

    unshare --net --mount host_blocked.py FAILOVER FOLDER [tls]

Runs in a network namespace of its own: a server does not count clients that come from 127.0.0.1. Prints a line for
each rush of such clients, and what a client reads after it: through the proxy, and past it, where the server counts.
With `tls`, TLS ends at the proxy, and the clients leave in each step of it.
"""

import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable

FAILOVER, FOLDER, *MODES = sys.argv[1:]
TLS = MODES == ["tls"]
WAYS = ("close", "request", "hello", "secured", "login") if TLS else ("close", "reset", "half-close", "part")
HOST, PORT, ROUTE = "10.255.99.1", 13399, 13400
SOCKET = f"{FOLDER}/socket"


def run(*words: str) -> None:
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def sql(statement: str) -> str:
    words = ["mariadb", "--no-defaults", "--socket", SOCKET, "-uroot", "-Nse", statement]
    text: str = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return text


def until(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    sys.exit("out of time")


def answers(*words: str) -> bool:
    return subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def client(host: str, port: int) -> str:
    words = [
        "mariadb",
        "--no-defaults",
        "--ssl" if TLS else "--skip-ssl",
        "-h",
        host,
        "-P",
        str(port),
        "-uapp",
        "-psecret",
    ]
    output = subprocess.run([*words, "-Nse", "select 'served'"], capture_output=True, text=True)
    return str(output.stdout.strip() or output.stderr.strip())


# A request for TLS, with the options PROTOCOL_41, SSL and SECURE_CONNECTION.
TLS_REQUEST = b"\x20\0\0\x01\x00\x8a\0\0\0\0\0\x01\x2d" + bytes(23)


def begin_tls(connection: socket.socket, way: str) -> None:
    """Sends a part of what a client sends until its login is complete, and leaves."""
    connection.sendall(TLS_REQUEST)
    if way == "request":
        return
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if way == "hello":
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            context.wrap_bio(incoming, outgoing).do_handshake()
        except ssl.SSLWantReadError:
            connection.sendall(outgoing.read())
        return
    with context.wrap_socket(connection) as session:
        if way == "login":
            session.sendall(b"\x60\x00\x00\x02\x85\xa6")


def rush(host: str, port: int, way: str) -> None:
    """Fourteen clients within 0.7 s."""
    for _ in range(14):
        with socket.create_connection((host, port)) as connection:
            connection.recv(200)
            if way == "part":
                connection.sendall(b"\x60\x00\x00\x01\x85\xa6")
            elif way == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            elif way in ("request", "hello", "secured", "login"):
                begin_tls(connection, way)
            elif way == "half-close":
                connection.shutdown(socket.SHUT_WR)
                connection.recv(200)
        time.sleep(0.03)
    time.sleep(1)


run("ip", "link", "set", "lo", "up")
run("ip", "address", "add", f"{HOST}/32", "dev", "lo")
with open(f"{FOLDER}/hosts", "w") as hosts:
    hosts.write(f"127.0.0.1 localhost\n{HOST} client.example\n")
run("mount", "--bind", f"{FOLDER}/hosts", "/etc/hosts")
run(
    "mariadb-install-db",
    "--no-defaults",
    f"--datadir={FOLDER}/data",
    "--user=root",
    "--skip-test-db",
    "--auth-root-authentication-method=normal",
)
if TLS:
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    run(
        "openssl",
        "req",
        "-x509",
        *curve,
        "-nodes",
        "-subj",
        "/CN=server",
        "-keyout",
        f"{FOLDER}/key.pem",
        "-out",
        f"{FOLDER}/cert.pem",
    )
server = subprocess.Popen(
    [
        "mariadbd",
        "--no-defaults",
        f"--datadir={FOLDER}/data",
        "--user=root",
        f"--socket={SOCKET}",
        f"--port={PORT}",
        f"--bind-address={HOST}",
        "--max-connect-errors=10",
        f"--log-error={FOLDER}/server.log",
        *([f"--ssl-cert={FOLDER}/cert.pem", f"--ssl-key={FOLDER}/key.pem"] if TLS else []),
    ]
)
proxy = None
try:
    until(lambda: answers("mariadb", "--no-defaults", "--socket", SOCKET, "-uroot", "-e", "select 1"))
    sql(
        "create user app@'%' identified by 'secret'; create user monitor@'%' identified by 'secret'; "
        "install soname 'auth_ed25519'; create user signed@'%' identified via ed25519 using password('secret')"
    )
    with open(f"{FOLDER}/failover.yaml", "w") as file:
        files = f"certificate: {FOLDER}/cert.pem, key: {FOLDER}/key.pem"
        client_tls = f", client_tls: {{{files}}}" if TLS else ""
        # A successful login of a ping would reset the server's count.
        file.write(f"""
monitoring_ping_frequency: 1h
error_ping_frequency: 1h
databases:
  slave: {{engine: mysql, host: {HOST}, port: {PORT}, user: monitor, password: secret}}
services:
  slave: {{type: database, failover_db_alias: [], listen: "127.0.0.1:{ROUTE}"{client_tls}}}
""")
    with open(f"{FOLDER}/log", "w") as log:
        proxy = subprocess.Popen([FAILOVER, "serve", "--config", f"{FOLDER}/failover.yaml"], stderr=log)
    until(lambda: client("127.0.0.1", ROUTE) == "served")
    sql("flush hosts")
    for way in WAYS:
        rush("127.0.0.1", ROUTE, way)
        print(f"through the proxy, {way}: {client('127.0.0.1', ROUTE)}", flush=True)
    proxy.terminate()
    proxy.wait()
    rush(HOST, PORT, "close")
    print(f"past it, close: {client(HOST, PORT)}", flush=True)
finally:
    for process in (proxy, server):
        if process:
            process.terminate()
    for process in (proxy, server):
        if process:
            process.wait()
