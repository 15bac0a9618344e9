"""Files ↔ resources: import checks a whole file before it writes, export streams; both know CSV, JSON and NDJSON."""
