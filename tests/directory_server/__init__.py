"""A real LDAP directory server for the tests: Debian's slapd, unpacked without root and run on loopback."""
