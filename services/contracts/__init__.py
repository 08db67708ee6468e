"""Contracts: from a draft through approval and signature to their end, with what was decided on the way."""
