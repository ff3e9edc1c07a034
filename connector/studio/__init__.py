"""The studio: pages and an HTTP API to see, change and run what a configuration declares."""
