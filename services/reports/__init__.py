"""Reports: the facts they count, what each of them asks, and how its figures leave the desk."""
