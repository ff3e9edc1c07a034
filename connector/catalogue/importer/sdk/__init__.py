"""What the official SDK says of the API, read from its wheel as data: its annotations are parsed, nothing is run."""
