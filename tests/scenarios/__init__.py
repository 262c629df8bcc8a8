"""What users see happen, on a real API server and on the local cluster."""
