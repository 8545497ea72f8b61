"""Work that takes longer than a click: in a thread or in a process, with progress and Stop."""
