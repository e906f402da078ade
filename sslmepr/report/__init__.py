"""Tables, figures and texts of the chapters; provenance and verification of results."""
