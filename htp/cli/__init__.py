"""Map commands to functions: `main` has the everyday ones, a file each the groups."""
