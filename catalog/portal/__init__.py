"""Server-rendered pages over the graph. May import `graph` and everything below it.

The decision that shaped it: a page asks the graph the same questions that any client could, as the viewer, so that no page can show
what the graph would not; it holds no queries of its own against the store beyond counting what is there.
"""
