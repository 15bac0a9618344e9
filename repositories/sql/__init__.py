"""The SQL stores: SQLAlchemy Core compiles, the driver runs. PostgreSQL today; a dialect is one small file."""
