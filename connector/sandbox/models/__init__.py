"""What models answer: text, vectors, verdicts, pictures, videos and sounds, the same for the same request."""
