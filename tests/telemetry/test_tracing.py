"""Spans and numbers told to OpenTelemetry: one trace from incoming to answer, the conventions' names, no secret."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.trace import SpanKind, StatusCode

from connector.errors import ConfigurationError
from connector.model import JSON, Attempt, Outcome, State
from connector.request import Redactor
from connector.telemetry.costs import Prices
from connector.telemetry.observer import Metrics, Observer
from connector.telemetry.otlp import OpenTelemetryMeters, OpenTelemetryTracing, make_observer, make_tracing
from connector.telemetry.tracing import NO_TRACING

CANARY = "canary-secret-0123456789"
REDACT = Redactor([CANARY])


@dataclass(frozen=True)
class Priced:
    input: float = 1.0
    cached_input: float | None = 0.5
    output: float = 10.0
    per: int = 1000
    priority: float = 2.0
    regional: float | None = None


@dataclass(frozen=True)
class Telemetry:
    traces: str | None = None
    metrics: str | None = None
    service_name: str = "made for tests"
    bodies: bool = False


PRICES = Prices({"gpt-5*": Priced()})
PAYLOAD: JSON = {"model": "gpt-5", "temperature": 0.5, "messages": [{"role": "user", "content": f"hi {CANARY}"}]}
ANSWER: JSON = {
    "id": "chatcmpl-1", "model": "gpt-5-2025", "choices": [{"message": {"content": f"hello {CANARY}"}}],
    "usage": {"prompt_tokens": 100, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 40}},
}  # fmt: skip
DONE = Outcome(State.DONE, 200, body=ANSWER, request_id="req_1", attempts=(Attempt(State.DONE, 200, 0.1),))


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def heard(exporter: InMemorySpanExporter) -> Iterator[OpenTelemetryTracing]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    opened = OpenTelemetryTracing(provider, REDACT)
    yield opened
    opened.close()


def named(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


def call(observer: Observer, outcome: Outcome = DONE, payload: JSON = PAYLOAD) -> None:
    cost = PRICES.read_cost(outcome.body, model=str(payload.get("model", "")) if isinstance(payload, dict) else "")
    observer.record_call(
        outcome, 0.1, cost, client="openai", operation="chat completions create", method="POST",
        path="/chat/completions", payload=payload, route="r",
    )  # fmt: skip


def test_a_call_says_what_the_conventions_ask_for(heard: OpenTelemetryTracing, exporter: InMemorySpanExporter) -> None:
    call(Observer(Metrics(), heard))
    (span,) = exporter.get_finished_spans()
    assert (span.name, span.kind, span.status.status_code) == ("chat gpt-5", SpanKind.CLIENT, StatusCode.UNSET)
    told = dict(span.attributes or {})
    assert told == {
        "connector.route": "r", "connector.operation": "chat completions create", "connector.client": "openai",
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-5",
        "gen_ai.request.temperature": 0.5, "gen_ai.response.id": "chatcmpl-1", "gen_ai.response.model": "gpt-5-2025",
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.cache_read.input_tokens": 40,
        "gen_ai.usage.output_tokens": 10, "http.response.status_code": 200, "connector.request_id": "req_1",
        "connector.outcome": "done", "connector.attempts": 1, "connector.cost": pytest.approx(0.18),
        "connector.cost.currency": "USD",
    }  # fmt: skip
    known = {value for name, value in vars(gen_ai_attributes).items() if name.isupper()}
    assert {name for name in told if name.startswith("gen_ai.")} <= known


def test_one_trace_leads_from_incoming_to_answer(heard: OpenTelemetryTracing, exporter: InMemorySpanExporter) -> None:
    observer = Observer(tracing=heard)
    with heard.span("read tickets", kind="producer") as reading:
        kept = heard.current_traceparent()
        assert kept == reading.traceparent
    # The task is delivered later, maybe by another process, and its answer becomes another one.
    with observer.task_span("classify", 7, attempt=2, traceparent=kept):
        call(observer)
        follow_up = heard.current_traceparent()
    with observer.task_span("store", 8, traceparent=follow_up):
        pass
    spans = named(exporter)
    assert len({span.context.trace_id for span in spans.values() if span.context}) == 1
    parents = {name: span.parent.span_id if span.parent else None for name, span in spans.items()}
    ids = {name: span.context.span_id for name, span in spans.items() if span.context}
    assert parents == {
        "read tickets": None, "task classify": ids["read tickets"], "chat gpt-5": ids["task classify"],
        "task store": ids["task classify"],
    }  # fmt: skip
    assert (spans["task classify"].attributes or {})["connector.attempt"] == 2
    assert heard.current_traceparent() == ""


@pytest.mark.parametrize("parent", ["", "junk", "00-0-0-00", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
def test_a_trace_that_is_none_begins_a_new_one(parent: str, heard: OpenTelemetryTracing) -> None:
    with heard.span("x", parent=parent) as span:
        assert span.traceparent.startswith("00-")


def test_what_did_not_end_well_says_so(heard: OpenTelemetryTracing, exporter: InMemorySpanExporter) -> None:
    call(Observer(tracing=heard), Outcome(State.UNKNOWN, reason=f"the key {CANARY} saw no answer"))
    with pytest.raises(ValueError, match="boom"), heard.span("x"):
        raise ValueError(f"boom {CANARY}")
    spans = named(exporter)
    for span in spans.values():
        assert span.status.status_code is StatusCode.ERROR
        assert span.events == ()
    assert (spans["chat gpt-5"].attributes or {})["error.type"] == "unknown"
    assert (spans["x"].attributes or {})["error.type"] == "ValueError"
    assert spans["x"].status.description == "boom ***"
    assert CANARY not in str([span.to_json() for span in spans.values()])


@pytest.mark.parametrize("bodies", [True, False])
def test_bodies_are_told_only_when_asked_and_without_secrets(
    bodies: bool, heard: OpenTelemetryTracing, exporter: InMemorySpanExporter
) -> None:
    call(Observer(tracing=heard, redact_bodies=REDACT if bodies else None))
    with heard.span(f"named {CANARY}", {"x": CANARY}):
        pass
    told = "".join(span.to_json() for span in exporter.get_finished_spans())
    assert CANARY not in told
    assert ("hi ***" in told, "hello ***" in told) == (bodies, bodies)


@pytest.mark.parametrize(
    "payload", [None, [], {"model": 3, "messages": object()}, {"model": "m", "temperature": "hot"}]
)
def test_odd_requests_are_no_trouble(payload: Any, heard: OpenTelemetryTracing, exporter: InMemorySpanExporter) -> None:
    call(Observer(tracing=heard, redact_bodies=REDACT), Outcome(State.DONE, body=payload), payload)
    assert len(exporter.get_finished_spans()) == 1


def test_calls_are_counted_priced_and_told_to_meters() -> None:
    reader, metrics = InMemoryMetricReader(), Metrics()
    meters = OpenTelemetryMeters.to(reader, "made for tests", metrics)
    observer = Observer(metrics, meters=meters)
    call(observer)
    call(observer, Outcome(State.REFUSED, 429, body={"error": {"message": "slow down"}}))
    found = json.loads(reader.get_metrics_data().to_json())["resource_metrics"][0]
    assert found["resource"]["attributes"]["service.name"] == "made for tests"
    points = {
        metric["name"]: [(point["attributes"], point) for point in metric["data"]["data_points"]]
        for metric in found["scope_metrics"][0]["metrics"]
    }
    durations = points["gen_ai.client.operation.duration"]
    assert [about.get("error.type") for about, _ in durations] == [None, "429"]
    assert {about["gen_ai.token.type"]: point["sum"] for about, point in points["gen_ai.client.token.usage"]} == {
        "input": 100, "output": 10,
    }  # fmt: skip
    assert [(about["state"], point["value"]) for about, point in points["connector_calls"]] == [
        ("done", 1), ("refused", 1)
    ]  # fmt: skip
    observer.close()


def test_without_a_receiver_nothing_is_told_and_nothing_is_imported() -> None:
    observer = make_observer(Telemetry(), "USD", REDACT)
    with observer.task_span("r", 1, traceparent="00-x") as span:
        assert (observer.tracing, span.traceparent) == (NO_TRACING, "")
        assert observer.tracing.current_traceparent() == ""
        call(observer)
    observer.close()
    assert observer.metrics.calls.total() == 1
    program = (
        "import sys\nimport connector.telemetry.observer, connector.telemetry.logs, connector.telemetry.summary\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ConfigurationError, match=r"telemetry\.traces needs opentelemetry.*\[telemetry\]"):
        make_tracing(Telemetry(traces="http://127.0.0.1:1/v1/traces"), REDACT)


@pytest.fixture
def receiver() -> Iterator[tuple[str, dict[str, list[bytes]]]]:
    """An OTLP receiver on loopback, and what it was told by path."""
    got: dict[str, list[bytes]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            got.setdefault(self.path, []).append(body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()
        thread.join()


def test_an_otlp_receiver_is_told_everything_before_the_end(receiver: tuple[str, Mapping[str, list[bytes]]]) -> None:
    url, got = receiver
    observer = make_observer(Telemetry(f"{url}/v1/traces", f"{url}/v1/metrics"), "USD", REDACT)
    with observer.task_span("r", 1):
        call(observer)
    observer.close()
    spans = ExportTraceServiceRequest.FromString(got["/v1/traces"][0]).resource_spans[0]
    assert {span.name for span in spans.scope_spans[0].spans} == {"task r", "chat gpt-5"}
    assert ("service.name", "made for tests") in [
        (one.key, one.value.string_value) for one in spans.resource.attributes
    ]
    metrics = ExportMetricsServiceRequest.FromString(got["/v1/metrics"][-1]).resource_metrics[0].scope_metrics[0]
    assert {"gen_ai.client.operation.duration", "connector_calls"} <= {metric.name for metric in metrics.metrics}
    assert CANARY.encode() not in b"".join(body for bodies in got.values() for body in bodies)
