"""Findings: a period's story in words, figures and charts, as one page of HTML that needs nothing else.

All figures come through the query layer, from one snapshot.
"""
