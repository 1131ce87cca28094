"""PostgreSQL: finding it, its data folder, its roles, its words for what went wrong."""
