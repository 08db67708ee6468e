"""What the desk knows of clients and does with them: cards, contacts, who is who, consents, calls, tasks."""
