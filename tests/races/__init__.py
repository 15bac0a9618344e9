"""Races of real threads against real servers, through the port: `python -m tests.races --help`."""
