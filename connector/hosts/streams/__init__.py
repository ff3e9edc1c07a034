"""What hosts that move rows have in common: streams made of the catalogue's lists, and how each is read."""
