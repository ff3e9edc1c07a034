"""What the connector tells about its own work: metrics, costs, traces; never a secret."""
