"""How far a measure is from the best one: bounds from convex duality, the best measure itself, and words for people."""
