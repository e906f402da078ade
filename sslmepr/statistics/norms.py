"""Population norms of published personality questionnaires."""

import numpy as np

TRAIT_CORRELATION = np.array(
    [  # O      C      E      A      stability
        [1.00, -0.01, 0.41, -0.01, -0.02],
        [-0.01, 1.00, 0.28, 0.24, 0.54],
        [0.41, 0.28, 1.00, 0.07, 0.22],
        [-0.01, 0.24, 0.07, 1.00, 0.26],
        [-0.02, 0.54, 0.22, 0.26, 1.00],
    ]
)
"""(trait, trait). Correlations of the domain scores (sum of six facets; neuroticism
reversed) that follow from the facet correlations of the NEO-PI-R norms, N = 1,000
(Costa & McCrae 1992, NEO PI-R professional manual), as given in the data set `neo` of
R's psych."""
