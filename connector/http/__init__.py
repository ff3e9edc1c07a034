"""The network: clients from prototypes, one transport seam, retries, bounded answers, streams, outcomes."""
