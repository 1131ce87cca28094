"""What a module declares in TOML, and its settings, made into what we run."""
