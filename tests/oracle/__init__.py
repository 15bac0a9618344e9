"""The contract of the port as a plain-Python program: a repository over lists of dicts, to be judged by reading."""

from tests.oracle.repository import OracleRepository

__all__ = ["OracleRepository"]
