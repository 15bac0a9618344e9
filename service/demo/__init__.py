"""The demonstration: a shop's resource file, and its records, the same everywhere."""
