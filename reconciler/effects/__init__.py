"""What each effect does, through the adapters: one module an effect, or a few that belong together.

A handler performs what it is asked and tells the outcome. It never decides what comes next.
"""
