"""Files, in one piece or in parts."""
