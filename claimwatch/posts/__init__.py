"""The posts store: many, searchable, expiring. `base` is the promise, each other module one way to keep it."""
