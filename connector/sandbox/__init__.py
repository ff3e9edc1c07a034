"""A stand-in for the API on this machine, made from the catalogue: it checks, remembers and answers like it."""
