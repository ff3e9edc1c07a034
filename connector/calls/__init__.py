"""Single calls for whoever waits: noted before they are made, so that a repeat is answered and not paid for again."""
