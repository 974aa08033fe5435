"""Side by side with what a user would pick instead, and the budgets: `make bench`, `make budgets`."""
