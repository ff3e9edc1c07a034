"""Instances of JSON Schemas, for structured output and tool arguments."""
