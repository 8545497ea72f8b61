"""A folder a page: `view` lays it out, `controls` ask, `charts` and `maps` draw."""
