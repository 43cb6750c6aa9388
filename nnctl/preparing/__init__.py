"""From a config and its tables to a job: rows cut, transforms fitted, every ``auto`` decided, the network built."""
