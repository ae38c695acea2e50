"""Posts of a Facebook page and the comments on them, by the Graph API and with the reader's own token."""
