"""One file for each kind of service that we know how to run."""
