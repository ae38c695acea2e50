"""The weekly report: numbers first, then rendering."""
