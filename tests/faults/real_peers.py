"""Other people's servers in between: nginx as a TLS reverse proxy, tinyproxy and microsocks as forward proxies.

Each is started here, as its own configuration says, on ports of 127.0.0.1, and ends with the test.
"""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import processes
from abi import Client
from checks import Checks
from endpoint import Endpoint
from table import Bench

PATIENCE = 30
# nginx closes a connection after so many requests, and after so many idle seconds.
KEEPALIVE_REQUESTS, KEEPALIVE_TIMEOUT = 5, 30
# tinyproxy takes no password with other characters; in a URL the other one must be escaped.
USER, PASSWORD, ODD_PASSWORD = "nomyo", "pass-41d7", "p@ss:w/rd-41d7"
CREDENTIALS, ODD_CREDENTIALS = f"{USER}:{PASSWORD}", f"{USER}:{urllib.parse.quote(ODD_PASSWORD, safe='')}"

NGINX = """
daemon off;
master_process on;
worker_processes 1;
{user}
pid {work}/nginx.pid;
error_log {work}/error.log;
events {{ worker_connections 512; }}
http {{
    log_format numbered '$connection $status';
    access_log {work}/access.log numbered;
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {work}/nginx.crt;
        ssl_certificate_key {work}/nginx.key;
        keepalive_requests {requests};
        keepalive_timeout {idle}s;
        client_max_body_size 1m;
        location / {{ proxy_pass http://127.0.0.1:{upstream}; }}
    }}
}}
"""
TINYPROXY = """
Port {port}
Listen 127.0.0.1
Timeout 60
MaxClients 50
LogFile "{work}/tinyproxy.log"
LogLevel Connect
BasicAuth {user} {password}
"""


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


@contextmanager
def server(command: list[object], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """From when it listens on `port` until it is done with."""
    running = processes.start(command, lambda: listens(port))
    try:
        yield running
    finally:
        processes.stop(running)


def ask(client: Client, checks: Checks, what: str, count: int = 1, threads: int = 1) -> None:
    """So many requests, each rightly answered."""

    def one(number: int) -> str:
        outcome = client.create(f"{what} {number}", timeout_ms=PATIENCE * 1000)
        right = (outcome.status, outcome.content) == ("OK", f"{what} {number}")
        return "" if right else f"{number}: {outcome.status} {outcome.message}"

    with ThreadPoolExecutor(threads) as pool:
        wrong = [one for one in pool.map(one, range(count)) if one]
    checks.that(not wrong, f"{what}: {len(wrong)} of {count}: {wrong[:3]}")
    print(f"  {what}: {count - len(wrong)} of {count} requests answered")


def refused(client: Client, checks: Checks, what: str, status: str, http: int, attempts: int, size: int = 0) -> None:
    outcome = client.create("x" * size, timeout_ms=PATIENCE * 1000)
    got = (outcome.status, outcome.http, outcome.attempts)
    checks.that(got == (status, http, attempts), f"{what}: {got}, not {(status, http, attempts)}: {outcome.message}")
    said = "\n".join([outcome.message, *client.log])
    told = [secret for secret in (PASSWORD, ODD_PASSWORD, ODD_CREDENTIALS) if secret in said]
    checks.that(not told, f"{what}: the proxy's password is in the error or in the log")
    print(f"  {what}: {outcome.status}, HTTP {outcome.http or '-'}, {outcome.attempts} attempts")


def client_of(bench: Bench, endpoint: Endpoint, url: str, **settings: object) -> Client:
    return Client(bench.library, base_url=url, ca_file=endpoint.ca_file, **settings)


def nginx(bench: Bench, endpoint: Endpoint, checks: Checks) -> None:
    work, port = bench.work / "nginx", free_port()
    work.mkdir()
    user = "user root;" if os.geteuid() == 0 else ""
    (work / "nginx.conf").write_text(
        NGINX.format(work=work, port=port, upstream=endpoint.plain_port, user=user, requests=KEEPALIVE_REQUESTS,
                     idle=KEEPALIVE_TIMEOUT)
    )
    authority = ["-CA", bench.state / "ca.pem", "-CAkey", bench.state / "ca_private.pem"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=nginx", "-days", "2", *authority,
         *names, "-keyout", work / "nginx.key", "-out", work / "nginx.crt"],
        check=True, capture_output=True,
    )  # fmt: skip

    def connections() -> int:
        lines = (work / "access.log").read_text().splitlines()
        return len({line.split()[0] for line in lines})

    command = ["nginx", "-p", work, "-c", work / "nginx.conf", "-e", work / "error.log"]
    with server(command, port) as running:
        url = f"https://127.0.0.1:{port}"
        client, idler = (client_of(bench, endpoint, url, proxy="") for _ in range(2))
        ask(idler, checks, "nginx, before it idles")
        idle_since = time.monotonic()
        before = connections()
        ask(client, checks, "nginx, one after another", 40)
        used = connections() - before
        checks.that(8 <= used <= 12, f"nginx, {KEEPALIVE_REQUESTS} requests a connection: 40 used {used} connections")
        ask(client, checks, "nginx, 16 threads", 320, threads=16)
        running.send_signal(signal.SIGHUP)
        ask(client, checks, "nginx, while it reloads", 60, threads=4)
        refused(client, checks, "nginx, a body it does not take", "HTTP", 413, 1, size=8 << 20)
        ask(client, checks, "nginx, after that")
        time.sleep(max(0.0, idle_since + KEEPALIVE_TIMEOUT + 1.5 - time.monotonic()))
        # nginx logs a request when it is done with the connection, some time after it answered.
        uploads = sum(line.endswith(" 413") for line in (work / "access.log").read_text().splitlines())
        checks.that(uploads == 1, f"nginx, a body it does not take: {uploads} uploads")
        seen = endpoint.stats()["requests"]
        ask(idler, checks, f"nginx, idle for {KEEPALIVE_TIMEOUT} s and more")
        checks.that(endpoint.stats()["requests"] == seen + 1, "after the idle time the endpoint saw one request")
        client.close()
        idler.close()


def nginx_without_upstream(bench: Bench, endpoint: Endpoint, checks: Checks) -> None:
    """Its own page, when there is nobody behind it."""
    work, port = bench.work / "nginx", free_port()
    configuration = (work / "nginx.conf").read_text()
    configuration = re.sub(r"listen 127.0.0.1:\d+", f"listen 127.0.0.1:{port}", configuration)
    configuration = configuration.replace(f":{endpoint.plain_port};", f":{free_port()};")
    (work / "alone.conf").write_text(configuration)
    with server(["nginx", "-p", work, "-c", work / "alone.conf", "-e", work / "error.log"], port):
        client = client_of(bench, endpoint, f"https://127.0.0.1:{port}", proxy="")
        refused(client, checks, "nginx, nobody behind it", "HTTP", 502, 3)
        client.close()


def tinyproxy(bench: Bench, endpoint: Endpoint, checks: Checks) -> None:
    work, port = bench.work / "tinyproxy", free_port()
    work.mkdir()
    configuration = TINYPROXY.format(work=work, port=port, user=USER, password=PASSWORD)
    (work / "tinyproxy.conf").write_text(configuration)

    def tunnels() -> int:
        return len(re.findall(r"Request .*: CONNECT ", (work / "tinyproxy.log").read_text()))

    with ExitStack() as done:
        command = ["tinyproxy", "-d", "-c", work / "tinyproxy.conf"]
        stop = done.enter_context(ExitStack())
        stop.enter_context(server(command, port))

        def client(**settings: object) -> Client:
            made = client_of(bench, endpoint, endpoint.url, **settings)
            done.callback(made.close)
            return made

        proxied = client(proxy=f"http://{CREDENTIALS}@127.0.0.1:{port}")
        ask(proxied, checks, "tinyproxy, with its password", 20, threads=4)
        made = tunnels()
        checks.that(1 <= made <= 5, f"20 requests of 4 threads went through {made} tunnels")
        refused(client(proxy=f"http://127.0.0.1:{port}"), checks, "tinyproxy, no password", "CONNECTION", 0, 1)
        wrong = client(proxy=f"http://{USER}:x@127.0.0.1:{port}")
        refused(wrong, checks, "tinyproxy, a wrong password", "CONNECTION", 0, 1)

        os.environ["HTTPS_PROXY"] = f"http://{CREDENTIALS}@127.0.0.1:{port}"
        made = tunnels()
        ask(client(environment=True), checks, "tinyproxy, from HTTPS_PROXY")
        checks.that(tunnels() == made + 1, "HTTPS_PROXY is used")
        ask(client(), checks, "HTTPS_PROXY, which a client without its environment does not read")
        ask(client(environment=True, proxy=""), checks, "HTTPS_PROXY switched off")
        os.environ["NO_PROXY"] = "127.0.0.1"
        ask(client(environment=True), checks, "HTTPS_PROXY, NO_PROXY")
        checks.that(tunnels() == made + 1, "a proxy that is switched off is not used")
        del os.environ["HTTPS_PROXY"], os.environ["NO_PROXY"]

        stop.close()
        refused(proxied, checks, "tinyproxy, stopped", "CONNECTION", 0, 3)
        done.enter_context(server(command, port))
        ask(proxied, checks, "tinyproxy, started again")


def microsocks(bench: Bench, endpoint: Endpoint, checks: Checks) -> None:
    port = free_port()
    with server(["microsocks", "-i", "127.0.0.1", "-p", port, "-u", USER, "-P", ODD_PASSWORD], port):

        def client(credentials: str) -> Client:
            return client_of(bench, endpoint, endpoint.url, proxy=f"socks5://{credentials}127.0.0.1:{port}")

        ask(client(f"{ODD_CREDENTIALS}@"), checks, "microsocks, with its password", 20, threads=4)
        refused(client(""), checks, "microsocks, no password", "CONNECTION", 0, 1)
        refused(client("a:b@"), checks, "microsocks, a wrong password", "CONNECTION", 0, 1)


def run(bench: Bench) -> Checks:
    checks = Checks("peers")
    endpoint = bench.endpoint()
    with ThreadPoolExecutor() as parts:
        # nginx is mostly idle; the proxies change the environment, one after the other.
        idling = parts.submit(nginx, bench, endpoint, checks)
        other = bench.endpoint()
        tinyproxy(bench, other, checks)
        microsocks(bench, other, checks)
        idling.result()
    nginx_without_upstream(bench, endpoint, checks)
    other.close()
    endpoint.close()
    checks.summary()
    return checks
