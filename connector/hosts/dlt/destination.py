"""The destination: each row of a load package is published by an outgoing connection, and paid for once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import orjson
from anyio.from_thread import start_blocking_portal
from dlt.common.destination import TLoaderFileFormat
from dlt.common.json import json
from dlt.common.schema import TTableSchema
from dlt.common.storages import FileStorage, ParsedLoadJobFileName
from dlt.common.typing import TSecretStrValue

from connector.errors import ConnectorError
from connector.hosts.dlt.errors import as_load_error, as_rows_error
from connector.hosts.dlt.load_table import LoadTable
from connector.hosts.rows.publisher import Trouble, open_publisher
from connector.hosts.rows.settings import RowSettings
from connector.hosts.streams.settings import read_settings
from connector.model import JSON, items, members
from connector.request.redaction import Redactor

__all__ = ["publish_rows"]

OWN = "_dlt"
"""The beginning of the names of tables and columns that dlt keeps for itself."""
FORMAT: TLoaderFileFormat = "typed-jsonl"


def _publish_file(
    file: Any,
    table: TTableSchema,
    configuration: str = dlt.config.value,
    outgoing: str = dlt.config.value,
    engine: TSecretStrValue = dlt.secrets.value,
    variables: TSecretStrValue | None = None,
    concurrency: int = 8,
    attempts: int = 5,
    patience: float = 300.0,
) -> None:
    """Publish rows by an outgoing connection: those with a primary key when they are new or have changed.

    Args:
        file: that of one job.
        table: what the rows are of.
        configuration: a connector.yaml: its text, or its path. Each row is a document of the outgoing connection.
        outgoing: the connection that publishes rows.
        engine: where is noted which rows were published: `postgresql://…`, or `sqlite:///FILE`.
        variables: what the configuration calls `${NAME}`: lines of `NAME=value`.
        concurrency: rows published at a time.
        attempts: attempts at a row that may be repeated.
        patience: seconds for which a row that cannot be sent is waited for, before dlt tries its job again.
    """
    if str(table.get("name")).startswith(OWN):
        return
    given: dict[str, Any] = {
        "configuration": configuration,
        "outgoing": outgoing,
        "engine": engine,
        "concurrency": concurrency,
        "attempts": attempts,
    }
    redact = Redactor()
    try:
        settings = read_settings(RowSettings, {**given, **({"variables": variables} if variables else {})})
        redact.learn(settings.secrets)
        rows = LoadTable.of(table)
        with start_blocking_portal() as portal:
            troubles = portal.call(_publish, settings, rows, Path(file), patience, redact)
    except ConnectorError as error:
        raise as_load_error(redact(f"{table.get('name')}: {error}"), error) from None
    if troubles:
        raise as_rows_error(rows.name, [Trouble(redact(one.message), one.cause) for one in troubles])


publish_rows = dlt.destination(
    _publish_file,
    name="publish_rows",
    batch_size=0,
    loader_file_format=FORMAT,
    skip_dlt_columns_and_tables=False,
    loader_parallelism_strategy="sequential",
)


async def _publish(
    settings: RowSettings, table: LoadTable, path: Path, patience: float, redact: Redactor
) -> list[Trouble]:
    """Publish the rows of a file; return what keeps any of them from being published."""
    async with open_publisher(settings, "dlt", patience) as publisher:
        redact.learn(publisher.secrets)
        for place, row in _read(path):
            document = {name: value for name, value in row.items() if not name.startswith(OWN)}
            await publisher.publish(table.key_of(row, document, place), document)
        return list(await publisher.settle())


def _read(path: Path) -> Iterator[tuple[str, dict[str, JSON]]]:
    """Yield the rows of a file, each with its place, which is the same in every retry."""
    name = ParsedLoadJobFileName.parse(str(path)).file_id
    number = 0
    with FileStorage.open_zipsafe_ro(str(path)) as lines:
        for line in lines:
            found: JSON = orjson.loads(json.dumpb(json.typed_loads(line)))  # times and the like become text
            for row in items(found) or [found]:
                number += 1
                yield f"{path.parents[1].name}/{name}/{number}", members(row)
