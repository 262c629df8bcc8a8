"""Endurance: a controller that is killed again and again while everything changes."""
