"""How fast the service is, side by side with code written by hand for one table, in one run."""
