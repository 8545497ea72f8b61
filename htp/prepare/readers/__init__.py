"""Read trips from files as people have them, each reader a source of chunks that workers turn into raw trips."""
