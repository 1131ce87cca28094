"""OpenRefine's projects: proven saved, packed as its own project archives, and loaded to prove."""
