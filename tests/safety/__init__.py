"""What strangers may hand to nnctl, what its streams and folders may be, and what it then does."""
