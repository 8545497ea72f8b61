"""Answer planners' questions: a day's demand between zones, and roads that are closed or slower."""
