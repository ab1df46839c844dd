"""Training of agents: recipes, fast rollouts, checkpoints, rounds, search, many jobs at once."""
