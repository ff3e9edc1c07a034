"""An OpenAI connector: declare connections, call any operation, know what happened."""
