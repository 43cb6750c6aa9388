"""Where the stacks of a sweep are trained: executors, as `concurrent.futures` knows them."""
