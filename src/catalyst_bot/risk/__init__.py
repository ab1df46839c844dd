"""Risk: intent to approved or refused order, stops while a position is open, halts and pauses."""
