"""Small valid pictures, videos and sounds, written byte by byte."""
