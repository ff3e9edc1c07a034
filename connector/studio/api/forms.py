"""The forms of other platforms: chosen as they are there, filled in, and turned into our configuration."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter

from connector.catalogue import Catalogue
from connector.migrate.forms import FORMS, Form, fill, find_form
from connector.model import JSON
from connector.studio.access import Context, Viewer
from connector.studio.schemas.forms import FilledForm, FormDetail, FormRequest, FormRow, FormValue
from connector.yaml.writer import format_yaml

__all__ = ["router"]

router = APIRouter(tags=["forms"])


@router.get("/forms", summary="List the forms of other platforms")
async def list_forms(_: Viewer) -> list[FormRow]:
    """Return the forms of Alumio, DronaHQ, Prismatic and Camunda by the names that they have there."""
    return [FormRow(**_row(form)) for form in FORMS.values()]


@router.get("/forms/{name}", summary="Read a form")
async def read_form(name: str, context: Context, _: Viewer) -> FormDetail:
    """Return a form with its fields, as a JSON Schema."""
    form = find_form(name)
    catalogue = Catalogue.open(context.configuration.catalogue_folder)
    return FormDetail(**_row(form), schema=await asyncio.to_thread(form.schema, catalogue))


@router.post("/forms/{name}", summary="Fill a form in")
async def fill_form(name: str, given: FormRequest, context: Context, _: Viewer) -> FilledForm:
    """Return what a filled form becomes in our configuration, and what is not as it is there; nothing is saved."""
    catalogue = Catalogue.open(context.configuration.catalogue_folder)
    filled = await asyncio.to_thread(
        fill,
        find_form(name),
        given.values,
        name=given.entry,
        client=given.client,
        known=given.known,
        catalogue=catalogue,
    )
    whole: dict[str, JSON] = {}
    for path, value in filled.values.items():
        place: dict[str, Any] = whole
        for step in path[:-1]:
            place = place.setdefault(step, {})
        place[path[-1]] = value
    return FilledForm(
        values=[FormValue(path=list(path), value=value) for path, value in filled.values.items()],
        text="\n".join([*format_yaml(whole), ""]),
        notes=filled.notes,
        exported=filled.exported,
    )


def _row(form: Form) -> dict[str, Any]:
    return {
        "name": form.name, "vendor": form.vendor, "title": form.title, "about": form.about, "section": form.section
    }  # fmt: skip
