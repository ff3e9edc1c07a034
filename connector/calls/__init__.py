"""Single calls that a program waits for: kept before they are made, so that a repeat is answered from what is kept."""
