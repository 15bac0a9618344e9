"""From what a request says to what it means: names resolved, values typed, every default explicit, limits enforced.

The only room that refuses a request for its meaning, and it does so before any I/O: all backends refuse alike.
"""
