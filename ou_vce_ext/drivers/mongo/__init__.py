"""MongoDB: finding it, its data folder, its users, its words for what went wrong."""
