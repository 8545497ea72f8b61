"""Serve a generator over HTTP: requests that arrive together are generated together.

    request → admission (cost, queue, deadline) → scheduler (round-robin, one batch through both stages) → a line a trip

Never touches tensors. `htp.Client` is the other end of the line.
"""
