"""What must hold, as tables of small functions, and how it is watched."""
