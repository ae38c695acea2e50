"""The offline demo: a sample network of synthetic posts on loopback, and the play that crawls and judges it."""
