"""Wiring: the command line, the schedule and the worker; the only package that opens stores and models."""
