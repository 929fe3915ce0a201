"""One module a family of actions: signals in, events out."""
