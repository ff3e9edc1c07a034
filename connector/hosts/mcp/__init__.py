"""A server of the Model Context Protocol: tools, resources and prompts made from a configuration."""
