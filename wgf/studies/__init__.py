"""What is learned from several runs."""
