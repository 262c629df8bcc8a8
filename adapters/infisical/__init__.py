"""Infisical over HTTP: transport, client, leases and coalesced readings."""
