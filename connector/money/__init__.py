"""Money: what routes will cost and how long they take, and what was billed. Each question is a folder of its own."""
