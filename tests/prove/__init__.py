"""The long proof that the stores are equal: generated catalogs, data and requests, answered by all of them alike."""
