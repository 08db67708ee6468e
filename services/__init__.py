"""What the desk does, one noun a file: a service takes the session first and leaves the commit to the door."""
