"""The checks behind the two troubleshooting tables: each a pure function over one snapshot.

A check answers `Trouble` when its problem is there, else whether all is well or the question does not arise.
"""
