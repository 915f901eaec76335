"""The simulated Exchange Web Services."""
