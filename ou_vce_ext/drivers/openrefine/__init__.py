"""OpenRefine: finding it and its Java, its workspace, its words for what went wrong."""
