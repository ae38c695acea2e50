"""The ledger: few, precious, transactional. One module per noun; every function takes an open connection."""
