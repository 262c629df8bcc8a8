"""The typed resources, from which their CRDs, their rules and the checks of the local cluster come.

A newcomer starts at `external_secrets.py` or `stores.py` (the fields), then `rules.py` (what a type cannot say).
"""
