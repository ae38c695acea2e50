"""Jetstream: the stream of all public posts of the AT Protocol, read from a saved capture."""
