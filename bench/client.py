"""What both benchmarks stand on: the release program on data of its own, and clients that keep their connection."""

import http.client
import os
import re
import secrets
import signal
import statistics
import subprocess
import threading
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "target/release/lessonbook"
PASSWORD = "demo-orchard-kettle-42"
REQUESTS = 300
# Lifts the rate limits for this run alone.
TOKEN = secrets.token_hex(16)


def environment(data):
    env = dict(os.environ, LESSONBOOK_MODE="demo", LESSONBOOK_DATA_DIR=data, LESSONBOOK_ADDR="127.0.0.1:0",
               LESSONBOOK_BENCHMARK_TOKEN=TOKEN)
    env.pop("DATABASE_URL", None)
    return env


class Server:
    def __init__(self, data):
        self.began = time.monotonic()
        self.process = subprocess.Popen([PROGRAM, "serve"], env=environment(data), stderr=subprocess.PIPE, text=True)
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
