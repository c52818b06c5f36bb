"""Asks `quipu serve` with the clients its users have: llama-stack-client and promtool. Expected values are plain SQL's.

Called by `cargo xtask slow serve` as: serve.py QUIPU SAMPLE FOLDER
"""

import json
import logging
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from llama_stack_client import BadRequestError, LlamaStackClient, PermissionDeniedError

QUIPU, SAMPLE, FOLDER = sys.argv[1:]
PATIENCE = 60
logging.getLogger("httpx").setLevel(logging.WARNING)


class Served:
    """A running `quipu serve`."""

    def __init__(self, file, *words):
        command = [QUIPU, "serve", str(file), "--listen", "127.0.0.1:0", *words]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        said = self.process.stderr.readline()
        self.url = re.search(r"(http://\S+)/", said).group(1)
        self.telemetry = LlamaStackClient(base_url=self.url).telemetry
        self.client = LlamaStackClient(base_url=self.url)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0, "it ends when it is asked to"


def wait(what, ask):
    """What `ask` answers once it neither raises nor answers nothing."""
    last, end = None, time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            found = ask()
            if found:
                return found
        except BadRequestError as error:
            last = error
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come: {last}")


def same(what, ours, expected):
    assert ours == expected, f"{what}\nours     {ours}\nexpected {expected}"
    print(f"ok  {what}")


def queries(file):
    sql = sqlite3.connect(file)
    rows = lambda text, *values: sql.execute(text, values).fetchall()
    with Served(file) as served:
        telemetry = served.telemetry
        traces = telemetry.query_traces()
        same("query_traces", {t.trace_id for t in traces}, {row[0] for row in rows("SELECT DISTINCT trace_id FROM spans LIMIT 100")})
        latest = telemetry.query_traces(order_by=["-start_time"], limit=3, offset=1)
        expected = [row[0] for row in rows("SELECT trace_id FROM traces ORDER BY start_time DESC LIMIT 3 OFFSET 1")]
        same("query_traces, ordered", [t.trace_id for t in latest], expected)

        session_id = rows("SELECT json_extract(attributes, '$.session_id') FROM spans WHERE json_extract(attributes, '$.session_id') NOT NULL")[0][0]
        # As Llama Stack's getting_started.ipynb has it.
        steps = telemetry.query_spans(
            attribute_filters=[{"key": "session_id", "op": "eq", "value": session_id}],
            attributes_to_return=["input", "output"],
        )
        expected = rows(
            """SELECT span_id, json_extract(attributes, '$.output') FROM spans
               WHERE json_extract(attributes, '$.input') NOT NULL AND json_extract(attributes, '$.output') NOT NULL
               AND trace_id IN (SELECT trace_id FROM spans WHERE json_extract(attributes, '$.session_id') = ?)""",
            session_id,
        )
        same("query_spans, the notebook's", {(s.span_id, s.attributes["output"]) for s in steps}, set(expected))
        questions = [json.loads(s.attributes["input"])[-1]["role"] for s in steps if s.attributes["output"] not in ("no shields", "no violations")]
        assert questions, "the notebook's next cell has something to work on"

        trace_id, root, start = rows("SELECT trace_id, root_span_id, start_time FROM traces WHERE root_span_id NOT NULL ORDER BY start_time LIMIT 1")[0]
        trace = telemetry.get_trace(trace_id)
        same("get_trace", (trace.trace_id, trace.root_span_id, trace.start_time.isoformat()), (trace_id, root, start))
        name, attributes = rows("SELECT name, attributes FROM spans WHERE span_id = ?", root)[0]
        span = telemetry.get_span(span_id=root, trace_id=trace_id)
        same("get_span", (span.name, span.attributes), (name, json.loads(attributes)))
        tree = telemetry.get_span_tree(root, attributes_to_return=["__class__"], max_depth=2)
        below = rows("SELECT span_id FROM spans WHERE ? IN (span_id, parent_span_id)", root)
        same("get_span_tree", set(tree), {row[0] for row in below})
        saved = telemetry.save_spans_to_dataset(attribute_filters=[], attributes_to_save=["input"], dataset_id="turns")
        same("save_spans_to_dataset", saved, None)
        for method, words in [(telemetry.get_trace, "Trace nope not found"), (telemetry.get_span_tree, "Span nope not found")]:
            try:
                method("nope")
                raise AssertionError("there is no such thing")
            except BadRequestError as error:
                same(f"{method.__name__} of nothing", error.body, {"detail": f"Invalid value: {words}"})
        body = {"start_time": 0, "query_type": "instant"}
        series = served.client.post("/v1/telemetry/metrics/total_tokens", body=body, cast_to=object)["data"]
        counts = re.findall(r"'metric': 'total_tokens', 'value': (\d+)", " ".join(row[0] for row in rows(
            "SELECT coalesce(json_extract(attributes, '$.output'), '') FROM spans WHERE name GLOB 'InferenceRouter.*'")))
        same("query_metrics", sum(s["values"][0]["value"] for s in series), sum(map(int, counts)))
        try:
            telemetry.log_event(event=started("a" * 32, "b" * 16), ttl_seconds=60)
            raise AssertionError("a file that is served for reading takes nothing")
        except PermissionDeniedError as error:
            assert "--accept-events" in str(error), error
            print("ok  log_event is refused where it is not allowed")


def started(trace_id, span_id):
    payload = {"type": "span_start", "name": "my_span", "parent_span_id": None}
    return {"type": "structured_log", "trace_id": trace_id, "span_id": span_id, "timestamp": "2025-07-01T00:00:00Z", "payload": payload}


def events(file):
    trace_id, span_id = "1" * 32, "a" * 16
    common = {"trace_id": trace_id, "span_id": span_id}
    with Served(file, "--accept-events") as served:
        telemetry = served.telemetry
        telemetry.log_event(event=started(trace_id, span_id), ttl_seconds=3600)
        telemetry.log_event(
            event={**common, "type": "unstructured_log", "timestamp": "2025-07-01T00:00:00.5Z", "message": "hello", "severity": "info"}, ttl_seconds=3600
        )
        telemetry.log_event(
            event={**common, "type": "metric", "timestamp": "2025-07-01T00:00:00.6Z", "metric": "total_tokens", "value": 42, "unit": "tokens"}, ttl_seconds=3600
        )
        # As the documentation of 0.2.15 has a metric, whose span is not open: it is taken, and told of.
        telemetry.log_event(
            event={
                "trace_id": "1234567890abcdef", "span_id": "abcdef1234567890", "timestamp": 1703123456.789, "type": "metric",
                "metric": "total_tokens", "value": 150, "unit": "tokens",
                "attributes": {"model_id": "meta-llama/Llama-3.2-3B-Instruct", "provider_id": "tgi"},
            },
            ttl_seconds=3600,
        )
        telemetry.log_event(
            event={**common, "type": "structured_log", "timestamp": "2025-07-01T00:00:01Z", "payload": {"type": "span_end", "status": "error"}}, ttl_seconds=3600
        )
        trace = wait("the trace", lambda: telemetry.get_trace(trace_id))
        same("log_event, then get_trace", (trace.trace_id, trace.end_time.isoformat()), (trace_id, "2025-07-01T00:00:01+00:00"))
        spans = wait("the span", lambda: telemetry.query_spans(attribute_filters=[], attributes_to_return=["__ttl__"]))
        same("log_event, then query_spans", [(s.span_id, s.name, s.attributes) for s in spans], [(span_id, "my_span", {"__ttl__": 3600})])
    rows = sqlite3.connect(file).execute("SELECT name FROM span_events WHERE span_id = ? ORDER BY id", (span_id,)).fetchall()
    same("log_event, then the file", [row[0] for row in rows], ["unstructured_log", "metric.total_tokens"])


def promtool(file):
    if not shutil.which("promtool"):
        print("--  promtool is not there, so it was not asked (apt-get install prometheus)")
        return
    last = sqlite3.connect(file).execute("SELECT max(CAST(strftime('%s', end_time) AS INTEGER)) FROM spans").fetchone()[0] + 15
    names = sqlite3.connect(file).execute("SELECT DISTINCT name FROM spans ORDER BY name").fetchall()
    with Served(file) as served:
        run = lambda *words: subprocess.run(["promtool", "query", *words], check=True, capture_output=True, text=True).stdout
        count = "sum(quipu_span_duration_seconds_count)"
        spans = sqlite3.connect(file).execute("SELECT count(*) FROM spans").fetchone()[0]
        same("promtool query instant", run("instant", "--time", str(last), served.url, count).split(" => ")[1].split(" @")[0], str(spans))
        over_time = run("range", "--start", str(last), "--end", str(last + 60), "--step", "30s", served.url, count)
        same("promtool query range", re.findall(r"^(\d+) @", over_time, re.M), [str(spans)] * 3)
        same("promtool query labels", run("labels", served.url, "span_name").split("\n")[:-1], [row[0] for row in names])
        found = run("series", "--match", "quipu_span_duration_seconds_count", served.url)
        same("promtool query series", found.count("__name__="), len(set(re.findall(r'span_name="([^"]*)", status="([^"]*)"', found))))


def copied(name):
    path = Path(FOLDER) / name
    shutil.copy(SAMPLE, path)
    return path


if __name__ == "__main__":
    queries(copied("queries.db"))
    events(Path(FOLDER) / "events.db")
    promtool(copied("metrics.db"))
    print("All of it is answered.")
