"""PostgreSQL's backups: dumps of its own tools, proven in a scratch server."""
