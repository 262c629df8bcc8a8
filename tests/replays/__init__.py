"""Recorded journals, each a test (`tests/commands/test_replay.py` replays them all).

A production incident becomes a test by copying its journal here: it holds no values.
"""
