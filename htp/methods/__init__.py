"""Hold the generators that are compared: the paper's six baselines, HTP, and HTP with one part changed.

`protocol.py` says what each of them answers, `registry.py` names them.
"""
