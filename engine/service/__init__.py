"""HTTP in → drafts, verdicts and answers to bots out: the service (extra `serve`)."""
