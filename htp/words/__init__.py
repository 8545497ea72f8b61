"""Read one line of words, English, Spanish or Portuguese, as the conditions of trips: by grammar and names, offline."""
