"""The services that are compared, each written by its own documentation's best practice."""
