"""Work shared out among machines by procrastinate, on the ledger's PostgreSQL. Imported only where that is."""
