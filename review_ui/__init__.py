"""The review pages: server-rendered, both languages, by keyboard or mouse."""
