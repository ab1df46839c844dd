"""The journal (the truth), the tables read from it (all rebuildable), and how both are reached."""
