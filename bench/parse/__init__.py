"""Parse Server: its installation, its start, and the shop's records as it stores them."""
