"""Drafts by a chat model, grounded in the same passages and held to the same checks.

rounds     a model's answer and one repair, or the offline draft
"""
