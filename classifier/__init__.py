"""Deciding which posts likely repeat a false health claim: encoder, heads, claim matching, grouping, queue."""
