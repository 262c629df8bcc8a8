"""A real Kubernetes API server for the tests, and for playing by hand (`python -m tests.apiserver`).

`build` makes the programs, `server` runs them, `client` talks to them, `fixtures` gives them to the tests.
"""
