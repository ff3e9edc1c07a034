"""Files, uploaded whole or in parts."""
