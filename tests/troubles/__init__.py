"""A real API server that misbehaves: a loopback proxy before it, scripted by verb, resource and count."""
