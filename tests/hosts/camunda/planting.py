"""A plug-in of pytest that plants the mistake which the environment names before anything else is imported."""

from __future__ import annotations

from tests.hosts.camunda.mutants import plant

plant()
