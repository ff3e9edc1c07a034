"""Vector stores: texts of files, found by what they say."""
