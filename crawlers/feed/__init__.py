"""News feeds: RSS, Atom and JSON Feed."""
