"""The forms of other platforms, as they are there: filled in, they become entries of our configuration."""

from __future__ import annotations

from connector.errors import UnknownName
from connector.migrate.forms.alumio import ALUMIO
from connector.migrate.forms.camunda import CAMUNDA
from connector.migrate.forms.dronahq import DRONAHQ
from connector.migrate.forms.form import Filled, Filling, Form, fill
from connector.migrate.forms.prismatic import PRISMATIC
from connector.suggestions import closest

__all__ = ["FORMS", "Filled", "Filling", "Form", "fill", "find_form"]

FORMS = {form.name: form for form in (*ALUMIO, *DRONAHQ, *PRISMATIC, *CAMUNDA)}
"""Every form by its name."""


def find_form(name: str) -> Form:
    """Return a form; raise UnknownName if there is none of this name."""
    if name not in FORMS:
        raise UnknownName("form", name, closest(name, FORMS))
    return FORMS[name]
