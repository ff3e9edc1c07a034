"""Answers in time at the least price: when one is needed, how long each transport takes, and which one is taken."""
