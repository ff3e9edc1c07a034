"""Every operation that is answered here, asked with the smallest request there is."""

from __future__ import annotations

import pytest

from connector.catalogue import Catalogue
from connector.catalogue.examples import example_request
from connector.model import is_document, is_list
from connector.sandbox.messages import Upload
from connector.sandbox.registry import MODEL_HANDLERS

CATALOGUE = Catalogue.open()
OPERATIONS = {operation.wire_name: operation for operation in CATALOGUE.operations()}


def with_files(value):
    if is_document(value) and "$file" in value:
        return Upload(value["$file"], "application/octet-stream", b"hello")
    if is_document(value):
        return {name: with_files(part) for name, part in value.items()}
    return [with_files(part) for part in value] if is_list(value) else value


def test_every_handler_is_of_an_operation_that_there_is():
    assert MODEL_HANDLERS.keys() <= OPERATIONS.keys()


@pytest.mark.parametrize("name", MODEL_HANDLERS)
def test_the_smallest_request_is_answered_in_the_right_shape(rooms, name):
    room, operation = rooms(lenient=True), OPERATIONS[name]
    request = example_request(operation, CATALOGUE)
    path = operation.template.format(**request.get("path", {}))
    fixed = "&".join(f"{key}={value}" for key, value in operation.fixed_query.items())
    address = f"{path}?{fixed}" if fixed else path
    if operation.method == "POST" and "json" in operation.answer:
        assert room.post(address, with_files(request.get("payload")))
    elif "json" in operation.answer:
        assert room.get(address)
    else:
        answer = room.ask(address, with_files(request.get("payload")), method=operation.method)
        assert answer.data is not None
