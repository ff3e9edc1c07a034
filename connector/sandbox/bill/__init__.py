"""What a sandbox counts and bills: its own reading of answers and of prices, apart from the connector's."""
