"""Clouds on loopback: the endpoints that SDKs ask for credentials, which check what they are asked."""
