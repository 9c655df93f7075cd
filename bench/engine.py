#!/usr/bin/env python3
"""Measures booking in a school of 1,000,000 lessons: the pages of a week, booking by 32 at once, and 500 tries for one
time. Writes bench/runs/NAME.json. Client and server share the machine, so the figures are upper bounds."""

import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import uuid

from client import Client, PROGRAM, ROOT, TOKEN, Server, environment, latency

BOOKINGS = int(os.environ.get("BOOKINGS", "1000000"))
CONNECTIONS = 32
EACH = 25
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


def post(client, path, fields):
    """Status, answer and milliseconds."""
    headers = {**FORM, "Cookie": client.cookie, "x-benchmark-token": TOKEN}
    began = time.perf_counter()
    client.connection.request("POST", path, urllib.parse.urlencode(fields), headers)
    response = client.connection.getresponse()
    body = response.read()
    return response.status, body, (time.perf_counter() - began) * 1000


def together(jobs):
    """Runs all at once, one thread each, and gives what they return."""
    results = [None] * len(jobs)
    gate = threading.Barrier(len(jobs))

    def run(n, job):
        gate.wait()
        results[n] = job()

    threads = [threading.Thread(target=run, args=(n, job)) for n, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else time.strftime("engine-%Y%m%d-%H%M%S")
    data = tempfile.mkdtemp(prefix="lessonbook-bench-")
    figures = {"lessons in the school": BOOKINGS}
    try:
        subprocess.run(
            [PROGRAM, "seed", "bench", "--instructors", "50", "--students", "2500", "--bookings", str(BOOKINGS)],
            env=environment(data),
            check=True,
        )
        server = Server(data)
        owner = Client(server.port, "owner@bench.test")
        students = [Client(server.port, f"student{n}@bench.test") for n in range(CONNECTIONS)]
        school = owner.ask("GET", "/s/bench")[1].decode()
        service = re.search(r"book\?service=([0-9a-f-]+)", school).group(1)
        instructors = sorted(set(re.findall(r"/s/bench/instructors/([0-9a-f-]+)", school)))
        # Beyond the lessons that are there: a Monday three weeks on.
        today = datetime.date.today()
        monday = today + datetime.timedelta(days=21 - today.weekday())
        week = f"/s/bench/book?service={service}&instructor=any&date={monday}"
        pages = {
            "book page, a week of any of 50 instructors": (students[0], week),
            "book page, this week, full": (students[0], f"/s/bench/book?service={service}&instructor=any"),
            "calendar, a week of one instructor": (owner, "/t/bench/calendar?view=week"),
            "calendar, a day of all": (owner, "/t/bench/calendar?view=day"),
            "lessons, page of 50": (owner, "/t/bench/bookings"),
            "attendance of a day": (owner, "/t/bench/attendance"),
        }
        for label, (client, path) in pages.items():
            figures[label] = latency(client.times(path))
        offset = "+01:00" if monday.month in (1, 2, 11, 12) else "+02:00"

        def book(client, instructor, at):
            fields = {"tenant": "bench", "service": service, "instructor": instructor, "starts_at": at,
                      "idempotency_key": uuid.uuid4().hex}
            return post(client, "/fn/booking/book", fields)

        def many(n):
            def job():
                times, refused = [], 0
                for k in range(EACH):
                    at = f"{monday + datetime.timedelta(days=k % 5)}T{9 + k // 5:02}:00:00{offset}"
                    status, _, ms = book(students[n], instructors[(n + k) % len(instructors)], at)
                    refused += status != 200
                    times.append(ms)
                return times, refused
            return job

        results = together([many(n) for n in range(CONNECTIONS)])
        if refused := sum(refused for _, refused in results):
            raise SystemExit(f"{refused} bookings were refused; the run is no figure")
        figures[f"booking, {CONNECTIONS} connections"] = latency([ms for times, _ in results for ms in times])
        alone = [book(students[0], instructors[0], f"{monday + datetime.timedelta(days=7 + k % 5)}T{9 + k // 5:02}:00:00{offset}")[2]
                 for k in range(EACH)]
        figures["booking, one connection"] = latency(alone)
        one = f"{monday + datetime.timedelta(days=14)}T10:00:00{offset}"
        tries = [Client(server.port) for _ in range(500)]
        for n, client in enumerate(tries):
            client.cookie = students[n % CONNECTIONS].cookie
            client.connection.connect()
        answers = together([lambda client=client: book(client, instructors[1], one) for client in tries])
        statuses = [status for status, _, _ in answers]
        offered = all(len(json.loads(body)["nearest"]) == 3 for status, body, _ in answers if status == 409)
        figures["500 tries for one time"] = {
            "booked": statuses.count(200), "refused with three others": statuses.count(409) if offered else 0,
            "slowest_ms": round(max(ms for _, _, ms in answers), 1),
        }
        server.stop()
    finally:
        shutil.rmtree(data, ignore_errors=True)
    runs = ROOT / "bench/runs"
    runs.mkdir(exist_ok=True)
    (runs / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n")
    for label, value in figures.items():
        print(f"{label:50} {json.dumps(value)}")


main()
