"""Energy, entropy, temperature and free energy of a cavity and of a qubit, with their errors."""
