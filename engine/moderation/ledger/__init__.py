"""The ledger of what was done: events, verdicts that act, calls to platforms, undo, feedback."""
