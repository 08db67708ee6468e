"""The tables of client relations: cards, contacts, who is who, consents."""
