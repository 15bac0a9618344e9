"""Pages and records → responses: status, headers, bytes. The views of the REST API."""
