"""The MongoDB store: pymongo on a replica set."""
