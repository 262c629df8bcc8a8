"""Everything that touches the world, behind the small protocols that the machines' effects name."""
