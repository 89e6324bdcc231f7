"""What watches the time loop: the monitor of its sanity, the recorder or the writer of its file, progress, and whatever a caller adds."""
