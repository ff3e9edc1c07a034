"""Where tasks are kept: what was accepted stays, whatever happens to the process or the machine."""
