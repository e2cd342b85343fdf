"""What all learned fields share: laws, their exact field, couplings, integrators, networks, and the error budget."""
