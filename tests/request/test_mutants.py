"""Of single faults in payloads of every operation, nearly all are refused by default."""

from __future__ import annotations

import random

import pytest

from connector.catalogue import Catalogue
from tests.request.mutants import Measure

pytestmark = pytest.mark.long

LEAST = 0.985


@pytest.mark.parametrize("seed", [1, 2])
def test_single_faults_are_refused(catalogue: Catalogue, seed: int) -> None:
    measure, chance = Measure(catalogue), random.Random(seed)
    for operation in catalogue.operations():
        measure.measure(operation, chance, samples=2, most=12)
    assert measure.samples > 200
    assert sum(measure.made.values()) > 1500
    assert measure.share >= LEAST, [(name, one.kind, one.where, one.said) for name, one in measure.missed]


def test_what_is_refused_is_the_fault_and_not_the_payload(catalogue: Catalogue) -> None:
    measure = Measure(catalogue)
    measure.measure(catalogue.find("responses create"), random.Random(3), samples=6, most=60)
    assert measure.samples == 6
    assert {"required left out", "wrong type", "letter wrong", "wrong tag"} <= set(measure.made)
