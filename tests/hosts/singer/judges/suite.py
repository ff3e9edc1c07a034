"""The suites that the Singer SDK holds taps and targets against, over our processes: what those say is what is judged.

They run in the environment of the judges, in a folder with `tap.json` and `target.json`; there it is noted what the
target was given, and what it said.
"""

import json
import os
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

from singer_sdk import Stream, Tap, Target
from singer_sdk.exceptions import MissingKeyPropertiesError, RecordsWithoutSchemaException
from singer_sdk.sinks import RecordSink
from singer_sdk.testing import SuiteConfig, get_tap_test_class, get_target_test_class
from singer_sdk.testing.suites import SingerTestSuite
from singer_sdk.testing.target_tests import TargetRecordMissingRequiredProperty
from singer_sdk.testing.templates import TargetFileTestTemplate

COMMAND = shlex.split(os.environ["SINGER"])
STREAMS = os.environ["STREAMS"].split()
CONFIGS = {name: json.loads(Path(f"{name}.json").read_text()) for name in ("tap", "target")}
ERRORS = {"comes before its SCHEMA": RecordsWithoutSchemaException, "no value for its key": MissingKeyPropertiesError}


def run(name, *words, given=None):
    """What a process says; what it complains of is the exception that the SDK has for it."""
    words = [*COMMAND, name, *words]
    done = subprocess.run(words, input=given, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        kind = next((kind for text, kind in ERRORS.items() if text in done.stderr), RuntimeError)
        raise kind(done.stderr)
    return done.stdout


@cache
def about(name):
    return run(name, "--about")


@cache
def discovered():
    return run("tap", "--config", "tap.json", "--discover")


class _Stream(Stream):
    def get_records(self, context):
        raise NotImplementedError


class _Tap(Tap):
    name = "tap-openai"
    config_jsonschema = json.loads(about("tap"))["settings"]

    def discover_streams(self):
        for one in json.loads(discovered())["streams"]:
            if one["tap_stream_id"] not in STREAMS:
                continue
            stream = _Stream(self, schema=one["schema"], name=one["tap_stream_id"])
            stream.primary_keys = one["key_properties"]
            stream.replication_key = one.get("replication_key")
            yield stream

    @property
    def catalog_dict(self):
        return json.loads(discovered())

    def run_discovery(self):
        return discovered()

    def run_connection_test(self):
        return bool(read_all())

    def run_sync_dry_run(self, dry_run_record_limit=None, streams=None):
        sys.stdout.write(read_all())
        return True

    @classmethod
    def print_about(cls, output_format=None):
        sys.stdout.write(about("tap"))


@cache
def read_all():
    catalog = json.loads(discovered())
    for one in catalog["streams"]:
        [about_it] = [about["metadata"] for about in one["metadata"] if not about["breadcrumb"]]
        about_it["selected"] = one["tap_stream_id"] in STREAMS
    Path("catalog.json").write_text(json.dumps(catalog))
    return run("tap", "--config", "tap.json", "--catalog", "catalog.json")


class _Sink(RecordSink):
    def process_record(self, record, context):
        raise NotImplementedError


class _Target(Target):
    name = "target-openai"
    config_jsonschema = json.loads(about("target"))["settings"]
    default_sink_class = _Sink

    def process_lines(self, file_input):
        given, note = file_input.read(), {"said": None}
        try:
            note["said"] = run("target", "--config", "target.json", given=given)
        finally:
            with Path("target.jsonl").open("a") as notes:
                notes.write(json.dumps({"given": given, **note}) + "\n")
        sys.stdout.write(note["said"])

    def process_endofpipe(self):
        """The process has ended by itself."""

    @classmethod
    def print_about(cls, output_format=None):
        sys.stdout.write(about("target"))


class MultipleStates(TargetFileTestTemplate):
    """As the SDK's own test, which compares texts with objects and is left out of its suite."""

    name = "multiple_state_messages"

    def test(self):
        self.runner.sync_all()
        lines = self.singer_filepath.read_text().splitlines()
        states = [one["value"] for one in map(json.loads, lines) if one["type"] == "STATE"]
        assert self.runner.state_messages == states


MORE = SingerTestSuite(kind="target", tests=[TargetRecordMissingRequiredProperty, MultipleStates])

TestTap = get_tap_test_class(_Tap, config=CONFIGS["tap"], suite_config=SuiteConfig(max_records_limit=None))
TestTarget = get_target_test_class(_Target, config=CONFIGS["target"], custom_suites=[MORE])
