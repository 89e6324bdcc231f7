"""Methods that move points: m neurons, and characteristics."""
