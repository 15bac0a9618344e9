"""The repository layer: one port, several stores. See `base.py` for the port's contract."""
