"""The run folder: what lies in it, how it is written so that nothing is lost, how it is found and listed again."""
