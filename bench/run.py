#!/usr/bin/env python3
"""Measures the release program on the demo's data and writes bench/runs/NAME.json.

Server time is what the client sees on loopback over one kept connection, so it is an upper bound. A run in which any
answer isn't 200 is refused: a fast refusal is no figure.
"""

import gzip
import json
import os
import re
import shutil
import sys
import tempfile
import time

from client import Client, ROOT, Server, latency

SITE = ROOT / "target/site/assets"


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
