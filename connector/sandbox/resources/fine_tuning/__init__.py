"""Fine-tuning jobs and their training."""
