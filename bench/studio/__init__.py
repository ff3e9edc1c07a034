"""The studio's queries over many stored tasks: a store that is filled, and what is asked of it."""
