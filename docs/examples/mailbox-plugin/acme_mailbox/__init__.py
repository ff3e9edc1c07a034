"""A plug-in for openai-connector: mailboxes, slugs, and Acme's models."""
