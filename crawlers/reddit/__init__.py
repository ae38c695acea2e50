"""Reddit, by its own interface and with the reader's own credential."""
