"""Bluesky and the servers that answer the app.bsky questions of the AT Protocol."""
