"""Airbyte's protocol: a source that reads the API's lists, and a destination that publishes rows."""
