"""What single predictions rest on: attribution and attention."""
