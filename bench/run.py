#!/usr/bin/env python3
"""Measures the release program on the demo's data and writes bench/runs/NAME.json.

Server time is what the client sees on loopback over one kept connection, so it is an upper bound. A run in which any
answer isn't 200 is refused: a fast refusal is no figure.
"""

import gzip
import http.client
import json
import os
import re
import secrets
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "target/release/lessonbook"
SITE = ROOT / "target/site/assets"
PASSWORD = "demo-orchard-kettle-42"
REQUESTS = 300
# Lifts the rate limits for this run alone.
TOKEN = secrets.token_hex(16)


class Server:
    def __init__(self, data):
        env = dict(os.environ, LESSONBOOK_MODE="demo", LESSONBOOK_DATA_DIR=data, LESSONBOOK_ADDR="127.0.0.1:0",
                   LESSONBOOK_BENCHMARK_TOKEN=TOKEN)
        env.pop("DATABASE_URL", None)
        self.began = time.monotonic()
        self.process = subprocess.Popen([PROGRAM, "serve"], env=env, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if found := re.search(r"serves on http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                break
        else:
            raise SystemExit("the program did not start")
        # Whatever it says later must not fill the pipe.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/login")
        if connection.getresponse().status != 200:
            raise SystemExit("the first page is no page")
        self.first_page = time.monotonic() - self.began

    def memory_mb(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


class Client:
    def __init__(self, port, account=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.cookie = ""
        if account:
            body = urllib.parse.urlencode({"login": account, "password": PASSWORD})
            headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
            response, _ = self.ask("POST", "/fn/identity/login", body, headers)
            self.cookie = response.getheader("set-cookie").split(";")[0]

    def ask(self, method, path, body=None, headers=None):
        headers = {**(headers or {}), "Cookie": self.cookie, "x-benchmark-token": TOKEN}
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        data = response.read()
        if response.status != 200:
            raise SystemExit(f"{path}: {response.status}; the run is refused")
        return response, data

    def times(self, path):
        """Milliseconds of REQUESTS requests, after a few to warm up."""
        out = []
        for n in range(REQUESTS + 20):
            began = time.perf_counter()
            self.ask("GET", path, headers={"Accept": "text/html"})
            if n >= 20:
                out.append((time.perf_counter() - began) * 1000)
        return out


def latency(times):
    times = sorted(times)
    at = lambda q: round(times[min(len(times) - 1, int(q * len(times)))], 2)
    return {"p50_ms": at(0.5), "p95_ms": at(0.95), "p99_ms": at(0.99), "mean_ms": round(statistics.mean(times), 2)}


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else time.strftime("%Y%m%d-%H%M%S")
    data = tempfile.mkdtemp(prefix="lessonbook-bench-")
    figures = {}
    try:
        Server(data).stop()
        server = Server(data)
        figures["start to first page, existing database (s)"] = round(server.first_page, 3)
        time.sleep(2)
        figures["memory idle (MB)"] = round(server.memory_mb(), 1)
        owner, student = Client(server.port, "owner@cape-drive.test"), Client(server.port, "sipho@cape-drive.test")
        visitor = Client(server.port)
        school = visitor.ask("GET", "/s/cape-drive")[1].decode()
        service = re.search(r"book\?service=([0-9a-f-]+)", school).group(1)
        book = f"/s/cape-drive/book?service={service}&instructor=any"
        pages = {
            "login": (visitor, "/login"),
            "school, public": (visitor, "/s/cape-drive"),
            "booking page, a week of any instructor": (student, book),
            "instructors, page of 50": (owner, "/t/cape-drive/instructors?page_size=50"),
            "students, page of 50": (owner, "/t/cape-drive/students"),
            "lessons, page of 50": (owner, "/t/cape-drive/bookings"),
            "dashboard of the owner": (owner, "/t/cape-drive"),
        }
        for label, (client, path) in pages.items():
            figures[label] = latency(client.times(path))
            html = client.ask("GET", path)[1]
            figures[label]["html_gzip_kb"] = round(len(gzip.compress(html, 9)) / 1024, 1)
        figures["memory after the load (MB)"] = round(server.memory_mb(), 1)
        server.stop()
    finally:
        shutil.rmtree(data, ignore_errors=True)
    compressed = lambda pattern: sum(file.stat().st_size for file in SITE.glob(pattern)) / 1024
    style = compressed("style.*.css.br")
    figures["booking page with its style sheet, scripts off (KB)"] = round(
        figures["booking page, a week of any instructor"]["html_gzip_kb"] + style, 1
    )
    figures["scripts and wasm, brotli (KB)"] = round(compressed("*.js.br") + compressed("*.wasm.br"), 1)
    runs = ROOT / "bench/runs"
    runs.mkdir(exist_ok=True)
    (runs / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n")
    baseline = os.environ.get("BASELINE")
    before = json.loads((runs / f"{baseline}.json").read_text()) if baseline else {}
    for label, value in figures.items():
        line = json.dumps(value) if isinstance(value, dict) else str(value)
        was = f"   (was {json.dumps(before[label])})" if label in before else ""
        print(f"{label:60} {line}{was}")


main()
