"""The URL language, syntax only: text in, frozen `Params` out. No schema, no database, no Flask."""
