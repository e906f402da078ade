"""What may be said of an association, by name."""

PRESENT, ABSENT, UNDECIDED = "present", "absent", "undecided"

OPPOSITE = "opposite"
"""Present with the other sign than the one that was registered."""

SIGNS = {"positive": 1, "negative": -1, "none": 0}
"""Direction of a registered association to its sign."""
