"""Discourse forums, as their JSON pages show them to everybody."""
