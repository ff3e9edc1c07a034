"""A run, a gateway and a sandbox for a while, under faults: what they use, and whether it grows."""
