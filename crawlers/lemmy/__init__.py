"""Lemmy communities and the servers that speak its interface."""
