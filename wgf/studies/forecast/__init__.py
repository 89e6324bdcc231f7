"""What a run will cost, before it is made: memory, arithmetic, steps and time."""
