"""What is deployed: rights, manifest, image."""
