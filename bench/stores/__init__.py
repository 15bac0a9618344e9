"""The database servers of a run, and the databases in them: one for each contender, all with the same records."""
