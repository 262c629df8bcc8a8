"""How long the checks of a simulated day wait before they complain."""

SIGHT = 15.0
"""Seconds by which what a run writes may be older than the run: a listing that a slow server answered lately, and the
second by which a refresh may look back."""
COMPANY = 30.0
"""Seconds, at most, by which a refresh comes early to share what others read; never more than a tenth of its interval."""
RECOVERY = 700.0
"""Seconds after a trouble within which all is well again: a store's longest back-off, and then that of a resource."""
SETTLING = 5.0
"""Seconds after a change by hand within which nobody need have noticed it."""

MARGIN = 5.0
"""Seconds by which a refresh may be late: its run takes its time, and times in a status are whole seconds."""
PROMPT = 5.0
"""Seconds within which a new or changed resource is synced."""
WATCHES_BACK = 400.0
"""Seconds for which what a controller knows of the cluster may be old: an outage of the API server, at most, and the
back-off of a watch."""
