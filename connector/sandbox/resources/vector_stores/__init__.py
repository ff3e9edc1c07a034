"""Vector stores: files, searched by what they say."""
