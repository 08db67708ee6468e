"""Money of contracts, in whole kopecks: what is owed, what came, what it paid, what goes back."""
