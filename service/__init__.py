"""The service: HTTP, the URL language, planning and representations. It knows stores by their port only."""
