"""Trials small enough to be run in a test."""

TRIALS = {
    "blocks": {
        "sequence": {
            "kinds": ["mamba", "state_free"],
            "seeds": [0],
            "sequences": 40,
            "steps": 4,
        }
    },
    "collapse": {
        "drawn": {
            "world": "planted",
            "features": 8,
            "clips": 80,
            "offsets": [0.5],
            "seeds": [0],
            "epochs": 1,
        }
    },
    "curves": {
        "drawn": {
            "world": "planted",
            "features": 40,
            "knobs": {"reliability": 0.5, "burst": 0.7},
            "clips": [70],
            "arms": ["late_fusion", "network", "whole", "modalities"],
            "held_out": 60,
            "reference": 140,
            "seeds": [0],
            "epochs": 1,
        }
    },
    "doses": {
        "drawn": {
            "world": "planted",
            "features": 16,
            "components": {"product_of_experts": "reliability"},
            "doses": [0.0, 1.0],
            "clips": 70,
            "seeds": [0],
            "epochs": 1,
        }
    },
    "observers": {
        "drawn": {
            "world": "planted",
            "knobs": ["reliability", "burst"],
            "doses": [0.0, 1.0],
            "mild": {"reliability": 0.5, "variants": 0.5},
            "clips": 60,
            "training": 80,
            "seeds": [0, 1],
        }
    },
    "power": {
        "drawn": {
            "world": "planted",
            "features": 8,
            "null_worlds": 2,
            "worlds": 2,
            "conditions": {"80 clips": {"clips": 80, "disjoint": True}},
        }
    },
    "search": {
        "fusion": {
            "trials": 2,
            "space": {"learning_rate": {"low": 0.001, "high": 0.01, "log": True}},
        }
    },
    "timing": {
        "drawn": {
            "world": "planted",
            "features": 16,
            "blocks": ["transformer"],
            "knobs": ["order"],
            "doses": [0.0, 1.0],
            "clips": 70,
            "seeds": [0],
        }
    },
}
