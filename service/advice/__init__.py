"""Which indexes the reads of a service lack: pure reasoning about queries, the catalog and what the stores explain."""
