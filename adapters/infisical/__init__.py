"""Everything that speaks to an Infisical server: one client, shared leases, coalesced readings."""
