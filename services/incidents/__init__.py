"""Incidents of ordinary cases: many of one trouble, one question to whoever mends it, one closing answer."""
