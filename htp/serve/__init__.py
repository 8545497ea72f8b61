"""Serve a generator over HTTP: requests that arrive together are generated together.

    asked → scheduler (round-robin, in batches) → joint (one pass through both stages) → features, a line a trip

Never touches tensors. `htp.Client` is the other end of the line.
"""
