"""Rows of any database that SQLAlchemy reaches, streamed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import aclosing

from pydantic import Field, SecretStr

from connector.documents import to_json
from connector.errors import ConfigurationError
from connector.http.parameters import Section
from connector.model import JSON, is_object
from connector.sql import create_engine, describe_error, mask_url, sqlalchemy
from connector.subscribers.prototype import Context, Prototype
from connector.subscribers.thread_iterator import iterate_in_thread

__all__ = ["SQL"]


class Parameters(Section):
    """Which rows of which database."""

    url: SecretStr = Field(description="The database's SQLAlchemy URL, such as postgresql+psycopg://host/name.")
    query: str = Field(description="One SELECT; its values are written as :name.")
    parameters: dict[str, JSON] = Field(
        default_factory=dict[str, JSON], description="The values of :name in the query; they may hold placeholders."
    )
    rows: int = Field(default=500, ge=1, le=100_000, description="Rows fetched at a time.")


class SqlReader:
    """Runs a query and yields a document for each row."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    async def documents(self, context: Context) -> AsyncGenerator[JSON, None]:
        async with aclosing(self._values(context)) as requests:
            async for values in requests:
                async with aclosing(iterate_in_thread(self._blocks(values))) as rows:
                    async for row in rows:
                        yield row

    async def explain(self, context: Context) -> JSON:
        shown = {"url": mask_url(self._parameters.url.get_secret_value()), "query": self._parameters.query}
        async with aclosing(self._values(context)) as requests:
            return [{**shown, "parameters": dict(values)} async for values in requests]

    async def _values(self, context: Context) -> AsyncGenerator[Mapping[str, JSON], None]:
        async with aclosing(context.requests({"parameters": self._parameters.parameters}, {})) as requests:
            async for request in requests:
                values = request.get("parameters") if is_object(request) else None
                if not is_object(values):
                    raise ConfigurationError("the sql subscriber's input chain must give {parameters: {…}}")
                yield values

    def _blocks(self, values: Mapping[str, JSON]) -> Callable[[], Generator[list[JSON], None, None]]:
        def read() -> Generator[list[JSON], None, None]:
            sql = sqlalchemy()
            engine = create_engine(self._parameters.url.get_secret_value())
            try:
                with engine.connect().execution_options(
                    stream_results=True, yield_per=self._parameters.rows
                ) as connection:
                    result = connection.execute(sql.text(self._parameters.query), dict(values))
                    for rows in result.mappings().partitions():
                        yield [to_json(dict(row)) for row in rows]
            except sql.exc.SQLAlchemyError as error:
                raise ConfigurationError(f"the query failed: {describe_error(error)}") from None
            finally:
                engine.dispose()

        return read


SQL = Prototype(
    "sql", "Rows of any database that SQLAlchemy reaches, streamed.", Parameters, SqlReader, ("parameters",)
)
