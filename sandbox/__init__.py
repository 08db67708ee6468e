"""Platforms on loopback with an invented school: for a first look, for tests and for training."""
