"""A small deterministic catalog in a real Postgres, and five viewers of it."""
