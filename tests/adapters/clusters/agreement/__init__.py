"""The local cluster is held to a real API server: both are asked the same, and whatever they tell is compared."""
