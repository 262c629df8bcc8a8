"""The ways to obtain a token from Infisical: one module a method, and one line in `registry`."""
