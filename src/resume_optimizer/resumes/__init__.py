"""Resumes and postings: read, understood, scored, improved and written again."""
