"""Make a graph of streets of a layer of centre lines: official ones of a city, or Overture's road segments.

file -> layer (layer) -> what its fields say (fields, values; overture) -> where lines meet (joints) -> graph (graph)
"""
