"""Money: what routes will cost, how long they will take, and how sure that is. Each question is a folder of its own."""
