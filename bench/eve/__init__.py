"""Eve: its environment, for it needs a package that is no wheel, and the shop's records as it stores them."""
