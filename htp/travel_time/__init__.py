"""Say how long a route takes at a time of day: a model of quantiles over what is known of roads."""
