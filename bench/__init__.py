"""Speed and memory beside those of others, on loopback: `make bench`, or `python -m bench [PART …]`."""
