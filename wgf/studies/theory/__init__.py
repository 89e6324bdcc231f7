"""What theory predicts, to be held beside what is computed."""
