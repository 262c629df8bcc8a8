"""What each resource goes through, as tables: pure, without I/O, clock or randomness."""
