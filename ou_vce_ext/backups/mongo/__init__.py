"""MongoDB: one snapshot in mongodump's layout, and rebuilding it document by document."""
