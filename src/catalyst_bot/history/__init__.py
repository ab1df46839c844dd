"""History: imported bars and news as arrays that training reads, checked, split, with a card."""
