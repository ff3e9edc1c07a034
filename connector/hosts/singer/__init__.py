"""Singer's protocol: a tap that reads the API's lists, and a target that publishes rows."""
