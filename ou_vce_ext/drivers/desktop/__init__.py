"""Desktop programs: a display of their own, seen in the browser."""
