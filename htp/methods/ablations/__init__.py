"""HTP, HTP+, and what becomes of HTP when one thing is taken away: the paper's four ablations and ours (paper §5.3).

Each is a class of its own that says what it changes; the main path knows nothing of them.
"""
