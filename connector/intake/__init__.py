"""From an incoming connection to tasks: what is read is accepted with the position that it moves."""
