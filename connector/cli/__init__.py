"""The command line: arguments in, JSON out, sentences for people."""

from connector.cli.app import main

__all__ = ["main"]
