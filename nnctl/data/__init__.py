"""From a file of cells to batches of numbers."""
