"""Outages of whole servers, seen from a controller with very many resources, on simulated time."""
