"""Telegram's public channels, as their preview pages show them."""
