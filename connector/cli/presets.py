"""One command under a second name, with some of its options decided."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable

from connector.model import JSON

__all__ = ["preset"]


def preset(command: Callable[..., None], *, doc: str, **decided: JSON) -> Callable[..., None]:
    """The command without the decided options, which have the given values."""

    @functools.wraps(command)
    def decided_command(*args: JSON, **kwargs: JSON) -> None:
        command(*args, **kwargs, **decided)

    signature = inspect.signature(command, eval_str=True)
    kept = [parameter for parameter in signature.parameters.values() if parameter.name not in decided]
    decided_command.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]  # what inspect documents
    decided_command.__annotations__ = {parameter.name: parameter.annotation for parameter in kept}
    decided_command.__doc__ = doc
    return decided_command
