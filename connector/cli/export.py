"""`export`: what other platforms need to know of operations and connections, in files of their own kinds."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from connector.cli.arguments import API, check_server, parse_day
from connector.cli.command import group
from connector.cli.options import Config, Entities, catalogue_folder, configuration_here
from connector.cli.output import print_document, print_text, say
from connector.errors import ConfigurationError

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.config import Configuration
    from connector.hosts.camunda.templates import Templates
    from connector.model import JSON

__all__ = ["export"]

export = group("Files for other platforms: for Airbyte, Camunda and Prismatic.")


@export.command("airbyte")
def airbyte(
    into: Annotated[Path, Option("--into", metavar="FOLDER", help="Where source-openai and destination-openai go.")],
    repository: Annotated[
        str, Option("--repository", metavar="NAME", help="Where their images are kept, up to the name.")
    ] = "openai-connector",
    image: Annotated[
        str, Option("--image", metavar="NAME", help="The connector's image, from which theirs are made.")
    ] = "openai-connector:latest",
) -> None:
    """Write what Airbyte asks of a connector for the source and the destination: metadata.yaml and a Dockerfile."""
    from connector.hosts.airbyte.package import write_packages

    for written in write_packages(into, repository, image):
        print_text(str(written))


@export.command("camunda")
def camunda(
    operations: Annotated[
        list[str] | None,
        Option("--operation", metavar="NAME", help="An operation or a pattern, such as `files *`; any number of them."),
    ] = None,
    outgoing: Annotated[
        list[str] | None, Option("--outgoing", metavar="NAME", help="An outgoing connection; any number of them.")
    ] = None,
    seed: Annotated[
        bool, Option("--seed", help="The form of Camunda's own OpenAI connector: chat and moderation.")
    ] = False,
    folder: Annotated[
        Path | None,
        Option(
            "--folder",
            metavar="FOLDER",
            help="Write a file for each template, such as .camunda/element-templates; one that has changed gets the"
            " next version.",
        ),
    ] = None,
    today: Annotated[
        date | None,
        Option("--today", metavar="DATE", parser=parse_day, help="Offer the models of this day; today unless given."),
    ] = None,
    config: Config = None,
    entities: Entities = None,
) -> None:
    """Print element templates for Camunda 8, or write them; without a choice, what the configuration offers."""
    from connector.hosts.camunda.folder import write_templates

    given = config or configuration_here()
    configuration = _load(given) if given is not None else None
    catalogue = _open(configuration, entities, given)
    templates = _templates(configuration, catalogue, today)
    chosen = bool(operations or outgoing or seed)
    if not chosen and configuration is None:
        raise ConfigurationError(
            "nothing to export: name --operation, --outgoing or --seed, or a configuration with -f"
        )
    found = list(_choose(templates, configuration, operations, outgoing, seed=seed, chosen=chosen))
    if not found:
        raise ConfigurationError(
            "nothing to export: the configuration offers no operation and no outgoing connection; name them under"
            " `camunda`, or with --operation or --outgoing"
        )
    if folder is None:
        print_document(list(found))
        return
    for written in write_templates(folder, found):
        print_text(f"{written.path}: version {written.version}, {written.change}")


@export.command("prismatic")
def prismatic(
    into: Annotated[Path, Option("--into", metavar="FOLDER", help="Where the package is written; ours is replaced.")],
    operations: Annotated[
        list[str] | None,
        Option("--operation", metavar="NAME", help="An operation or a pattern that is an action too; any number."),
    ] = None,
    server: Annotated[
        str, Option("--server", metavar="URL", help="The base URL of connections at first: the API, or a gateway.")
    ] = API,
    today: Annotated[
        date | None,
        Option("--today", metavar="DATE", parser=parse_day, help="Offer the models of this day; today unless given."),
    ] = None,
    config: Config = None,
    entities: Entities = None,
) -> None:
    """Write a component package for Prismatic: its six actions, chosen operations, and one that publishes."""
    from connector.catalogue import Catalogue
    from connector.hosts.offers import match_operations
    from connector.hosts.prismatic.actions import callable_once, chosen_actions, own_actions
    from connector.hosts.prismatic.inputs import FieldReader
    from connector.hosts.prismatic.package import write_package
    from connector.model_registry import current_day, load_registry

    check_server(server)
    catalogue = Catalogue.open(catalogue_folder(entities, config))
    reader = FieldReader(catalogue, load_registry(catalogue.folder), today or current_day())
    wanted = match_operations(operations or (), catalogue, "--operation")
    left_out = [operation.name for operation in wanted if not callable_once(operation)]
    reason = f"{', '.join(left_out)}: a step sends JSON or a form, and is answered once, and whole"
    if left_out and len(left_out) == len(wanted):
        raise ConfigurationError(f"--operation {reason}; call it in another way")
    actions = {**own_actions(reader), **chosen_actions(reader, filter(callable_once, wanted))}
    for written in write_package(into, actions, server):
        print_text(str(written))
    print_text(f"actions: {', '.join([*actions, 'rawRequest', 'publishDocument'])}")
    if left_out:
        say(f"left out: {reason}")


def _choose(
    templates: Templates,
    configuration: Configuration | None,
    operations: list[str] | None,
    outgoing: list[str] | None,
    *,
    seed: bool,
    chosen: bool,
) -> list[dict[str, JSON]]:
    from connector.hosts.camunda.seed import SEED_OPERATIONS, seed_template
    from connector.hosts.offers import callable_outgoing, match_operations

    patterns, where = tuple(operations or ()), "--operation"
    if not chosen and configuration is not None:
        patterns, where = configuration.camunda.operations, "camunda.operations"
    wanted = match_operations(patterns, templates.catalogue, where)
    found = [templates.operation(operation) for operation in wanted]
    if seed or (not chosen and {*SEED_OPERATIONS.values()} <= {one.name for one in wanted}):
        found.append(seed_template(templates))
    if configuration is None:
        if outgoing:
            raise ConfigurationError("--outgoing: there is no configuration that declares it; name one with -f")
        return found
    for name in outgoing or ():
        configuration.find("outgoing", name)
        if not dict(callable_outgoing(configuration, (name,))):
            raise ConfigurationError(
                f"--outgoing {name!r}: it answers no single call, since it is disabled, gathers documents or is sent as"
                " a batch; deliver it by a route"
            )
        found.append(templates.outgoing(configuration, name))
    if not chosen:
        offered = callable_outgoing(configuration, configuration.camunda.outgoing)
        found += [templates.outgoing(configuration, name) for name, _ in offered]
    return found


def _load(path: Path) -> Configuration:
    from connector.pipeline import load_configuration

    return load_configuration(path)


def _open(configuration: Configuration | None, entities: Path | None, config: Path | None) -> Catalogue:
    from connector.catalogue import Catalogue
    from connector.cli.options import open_catalogue

    if configuration is not None:
        return open_catalogue(configuration, entities)
    return Catalogue.open(catalogue_folder(entities, config))


def _templates(configuration: Configuration | None, catalogue: Catalogue, today: date | None) -> Templates:
    from connector.hosts.camunda.keys import first_secret
    from connector.hosts.camunda.templates import Templates
    from connector.model_registry import current_day, load_registry

    registry, day = load_registry(catalogue.folder), today or current_day()
    if configuration is None:
        return Templates(catalogue, registry, day, "openai-connector:1")
    secret = first_secret(configuration)
    return Templates(catalogue, registry, day, configuration.camunda.job_type, secret)
