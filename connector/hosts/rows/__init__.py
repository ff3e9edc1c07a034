"""Rows of hosts, each published by an outgoing connection and paid for once."""
