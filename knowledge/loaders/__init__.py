"""Files of any format as blocks in reading order: one module a format, one importer a library."""
