"""Prismatic: a component package for its designer, made from the catalogue."""
