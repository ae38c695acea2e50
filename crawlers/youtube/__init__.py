"""Comments on YouTube, by its Data API and with the reader's own key."""
