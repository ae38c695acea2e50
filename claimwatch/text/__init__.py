"""What happens to a post's text before it is kept: cleaned, scrubbed, folded, compared."""
