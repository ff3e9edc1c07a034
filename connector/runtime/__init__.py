"""A whole run: which routes, when each is read, who works on what, and how it all comes to its end."""
