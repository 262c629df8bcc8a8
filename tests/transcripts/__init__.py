"""What two real Infisical servers answered, and tests that hold the stand-in and the client against it."""
