"""Do work that outgrows one machine: pieces on the workers of a Ray cluster, results in a folder of whole parts.

Or keep an application running there as replicas. Knows nothing about models, cities or what is in a piece.
"""

from htp.scale.cluster import Cluster
from htp.scale.parts import Parts
from htp.scale.replicas import Application, Replicas, Scaling
from htp.scale.store import Store

__all__ = ["Application", "Cluster", "Parts", "Replicas", "Scaling", "Store"]
