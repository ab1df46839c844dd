"""From a headline to a catalyst: is it new, whose is it, what happened, how sure are we."""
