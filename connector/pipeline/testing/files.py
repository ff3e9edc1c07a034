"""Files of cases: found, read, run."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from connector.config import Configuration
from connector.config.references import Reference, references_in
from connector.config.sources import configuration_in
from connector.errors import ConfigurationError, ConnectorError
from connector.model import JSON, is_list, members
from connector.model_registry import load_registry
from connector.pipeline.runtime import load_configuration
from connector.pipeline.testing.cases import Checked, is_connection_case, run_connection_case
from connector.transform import compile_chain
from connector.transform.cases import read_cases, run_case
from connector.yaml import read_yaml

__all__ = ["found_files", "load_for_cases", "run_files"]

ENDING = ".test.yaml"
STAND_IN = "test-value-of-"


def found_files(given: Iterable[Path]) -> list[Path]:
    """Return the files that are named, and those below the folders that are."""
    files: list[Path] = []
    for path in given:
        if path.is_dir():
            files += sorted(_walk(path))
        elif path.is_file():
            files.append(path)
        else:
            raise ConfigurationError(f"there is no file or folder {str(path)!r}")
    return list(dict.fromkeys(files))


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.rglob(f"*{ENDING}"):
        inner = path.relative_to(folder).parts
        if not any(part.startswith(".") or part in ("node_modules", "site-packages") for part in inner[:-1]):
            yield path


async def run_files(files: Iterable[Path], configuration: Path | None) -> AsyncGenerator[Checked, None]:
    """Yield the verdict on each case as it comes; `configuration` is for cases whose file has none beside it."""
    saved: dict[Path, Configuration] = {}
    for file in files:
        cases = read_yaml(file.read_bytes(), str(file))
        if not is_list(cases):
            raise ConfigurationError(f"{file}: a list of cases is needed")
        source = _find_configuration(file, configuration)
        for index, case in enumerate(cases):
            started = time.monotonic()
            difference = await _run_case(case, file, source, f"{file}[{index}]", saved)
            name = str(members(case).get("name", index))
            yield Checked(file, name, difference, time.monotonic() - started)


def _find_configuration(file: Path, configuration: Path | None) -> Path | None:
    """Return the configuration that was named, else one of the file's own, beside it, above its folder, or here."""
    if configuration is not None:
        return configuration
    own = file.with_name(file.name.removesuffix(ENDING) + ".yaml")
    if _is_configuration(own):
        return own
    around = (configuration_in(folder) for folder in (file.parent, file.absolute().parent.parent, Path()))
    return next((found for found in around if found is not None and (found.is_dir() or _is_configuration(found))), None)


def _is_configuration(path: Path) -> bool:
    if not path.is_file():
        return False
    document = read_yaml(path.read_bytes(), str(path))
    return isinstance(document, dict) and "steps" not in document


async def _run_case(case: JSON, file: Path, source: Path | None, where: str, saved: dict[Path, Configuration]) -> str:
    try:
        if not is_connection_case(case):
            return await _run_chain_case(case, file, source, where, saved)
        if source is None:
            raise ConfigurationError(f"{where}: there is no connector.yaml beside the file; name one with -f")

        def load(environ: Mapping[str, str]) -> Configuration:
            return load_for_cases(source, environ)

        return await run_connection_case(case, load, where)
    except ConnectorError as error:
        return str(error)


async def _run_chain_case(
    case: JSON, file: Path, source: Path | None, where: str, saved: dict[Path, Configuration]
) -> str:
    name = file.name.removesuffix(ENDING)
    if source is not None and source not in saved:
        saved[source] = load_for_cases(source, {})  # read once for all cases of a run
    chains = dict(saved[source].saved_chains()) if source is not None else {}
    own = file.with_name(f"{name}.yaml")
    if own.is_file() and own != source:
        chains[name] = read_yaml(own.read_bytes(), str(own))
    read = read_cases([case], where)[0]
    entities = None if source is None else saved[source].catalogue_folder
    chain = compile_chain(
        [{name: read.given.get("parameters") or {}}],
        chains,
        where=read.name,
        models=lambda: load_registry(entities),
    )
    return (await run_case(read, chain)).difference


def load_for_cases(source: Path, environ: Mapping[str, str]) -> Configuration:
    """Return the configuration; variables of the environment that the case does not give get a substitute."""
    missing = dict(_make_stand_ins(source))
    return load_configuration(source, {**missing, **environ})


def _make_stand_ins(source: Path) -> Iterator[tuple[str, str]]:
    from connector.config.sources import files_of

    for file in files_of(source):
        with suppress(ConnectorError):
            for _, found in references_in(read_yaml(file.read_bytes(), str(file))):
                if isinstance(found, Reference) and found.kind == "environment" and found.default is None:
                    yield found.name, f"{STAND_IN}{found.name.lower()}"
