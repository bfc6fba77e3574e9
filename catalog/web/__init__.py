"""The Starlette application: routes, authentication, health; mounts the graph and the pages.

May import everything below it, but not `worker`. The decision that shaped it: the rim lives here. Errors become HTTP statuses in
one table, every response carries the id under which a failure was logged, and whoever is signed in by cookie must come from the
same origin.
"""
