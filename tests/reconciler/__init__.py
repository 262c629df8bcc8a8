"""What the reconciler's parts promise, each alone."""
