"""Ordered changes to the ledger's tables: one file each under versions/, never edited once released."""
