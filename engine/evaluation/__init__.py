"""Evaluation: cases → scores → metrics → report."""
