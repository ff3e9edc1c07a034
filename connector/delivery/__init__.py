"""One task's attempt: documents become calls, each noted before it is sent, and its end is one change to commit."""
