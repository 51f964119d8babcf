"""Platforms' events in → incoming records; what the ladder decides → their API calls.

One module a platform, pure functions of bytes and records: no network and no database;
clocks are handed in.
"""
