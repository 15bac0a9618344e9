"""Input that means no good: through raw sockets, from the project's own OpenAPI document, and byte by byte."""
