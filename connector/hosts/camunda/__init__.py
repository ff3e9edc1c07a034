"""Camunda 8: element templates for its modelers, and a worker that does the jobs of elements made from them."""
