"""What each kind of service is asked, work by work, and how its answers are made comparable."""
