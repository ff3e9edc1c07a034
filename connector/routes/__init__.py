"""Routes at work: documents become tasks, and every task comes to exactly one end."""
