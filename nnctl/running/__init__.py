"""Where training meets disk: a run is begun, recorded, interrupted, gone on with, found again, repeated."""
