"""The interactive prototype: one recording, read and explained in the browser."""
