"""The compiled graph answers as the in-memory reference does."""
