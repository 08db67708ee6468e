"""Broadcasts: their schedule, the desk of one that is on air, what is left of it, and recordings of chats."""
