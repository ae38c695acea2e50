"""Collecting posts: one folder per kind of source, pure parsers, thin spiders."""
