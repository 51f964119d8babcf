"""Drafting: brief + recipe + passages → drafts with sources, checked."""

from engine.drafting.brief import Brief
from engine.drafting.copywriter import Copywriter
from engine.drafting.draft import Citation, Draft, Finding

__all__ = ["Brief", "Citation", "Copywriter", "Draft", "Finding"]
