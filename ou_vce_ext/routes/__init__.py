"""The REST API and the status page: thin handlers over the domain."""
